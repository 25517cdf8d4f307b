#include "feed/memory/memory_feed.hpp"

#include "feed/testing/change_feed_suite.hpp"

namespace latchkey::feed {
namespace {

class MemoryWorld final : public FeedWorld {
 public:
  store::KeyStore& store() override { return store_; }
  ChangeFeed& feed() override { return *feed_; }
  void reopen_feed() override { feed_ = std::make_unique<MemoryFeed>(store_, clock_); }
  std::function<void()> backup() override {
    return [this, state = store_.backup()] { store_.restore(state); };
  }
  void replace() override { store_.restore(store::MemoryStore(clock_, random_).backup()); }
  void make_unreachable() override { feed_->cut(true); }
  void make_reachable() override { feed_->cut(false); }
  void lose_change(Seq seq) override {
    auto state = store_.backup();
    state.log.erase(state.log.begin() + static_cast<std::ptrdiff_t>(seq.value - 1));
    store_.restore(std::move(state));
  }

 private:
  SystemClock clock_;
  SystemRandom random_;
  store::MemoryStore store_{clock_, random_};
  std::unique_ptr<MemoryFeed> feed_ = std::make_unique<MemoryFeed>(store_, clock_);
};

INSTANTIATE_TEST_SUITE_P(Memory, ChangeFeedSuite,
                         testing::Values(FeedEngine{"memory", [] { return std::make_unique<MemoryWorld>(); }}));

}  // namespace
}  // namespace latchkey::feed
