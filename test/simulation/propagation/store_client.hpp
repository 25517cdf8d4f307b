#pragma once

// A relay's way to the store: polls it over the network, as the engine for a standby does.

#include <optional>

#include "feed/memory/memory_feed.hpp"
#include "process.hpp"
#include "propagation/bug.hpp"

namespace latchkey::simulation::propagation {

class StoreClient final : public feed::ChangeFeed {
 public:
  struct Way {
    World& world;
    Network& network;
    Process& process;
    Clock& clock;
    store::MemoryStore& store;
    const bool& cut;
    Bug bug;
  };
  explicit StoreClient(Way way) : way_(way) {}

  Result<Position, feed::FeedError> load(feed::SnapshotSink& sink) override;
  void resume(const LogEnd& known) override { known_ = known; }
  Result<feed::Batch, feed::FeedError> next(Position after, std::chrono::milliseconds patience) override;
  void wake() override {}

 private:
  struct Rows;
  template <class Reply>
  std::optional<Reply> ask(std::function<Reply()> serve);
  Result<LogEnd, feed::FeedError> end();
  Result<feed::Batch, feed::FeedError> read(Position after);

  Way way_;
  std::optional<LogEnd> known_;
};

}  // namespace latchkey::simulation::propagation
