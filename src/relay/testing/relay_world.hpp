#pragma once

// For tests: an embedded store, a private Redis, relays between them that move when told to, and a reader.

#include "feed/redis/layout.hpp"
#include "feed/redis/redis_feed.hpp"
#include "feed/testing/change_feed_suite.hpp"
#include "feed/testing/sqlite_world.hpp"
#include "redis/testing/test_server.hpp"
#include "relay/redis/redis_stream.hpp"
#include "relay/snapshot_maker.hpp"
#include "relay/tail.hpp"

namespace latchkey::relay {

using namespace std::chrono_literals;

constexpr redis::Timeouts test_timeouts{.connect = 1000ms, .command = 300ms};

/// Calls `around` before and after every call that writes; it may throw, as a process may die there.
class InterruptedStream final : public Stream {
  template <class Call>
  auto around(Call&& call) {
    around_();
    auto result = call();
    around_();
    return result;
  }

 public:
  InterruptedStream(Stream& stream, std::function<void()> around) : stream_(stream), around_(std::move(around)) {}

  Result<std::optional<Life>> look() override { return stream_.look(); }
  Result<std::optional<Tick>> tick(const std::string& life, Epoch epoch) override {
    return around([&] { return stream_.tick(life, epoch); });
  }
  Result<AppendOutcome> append(const std::string& life, const LogEnd& after, std::span<const Change> changes,
                               std::optional<Tick> beat) override {
    return around([&] { return stream_.append(life, after, changes, beat); });
  }
  Result<void> end(const std::string& life) override {
    return around([&] { return stream_.end(life); });
  }
  Result<void> write_chunk(const Snapshot& snapshot, std::string_view rows) override {
    return around([&] { return stream_.write_chunk(snapshot, rows); });
  }
  Result<void> write_seed(const Seed& seed, std::span<const Change> changes) override {
    return around([&] { return stream_.write_seed(seed, changes); });
  }
  Result<void> discard(const Snapshot& snapshot, const Seed& seed) override {
    return around([&] { return stream_.discard(snapshot, seed); });
  }
  Result<Published> begin(const Snapshot& snapshot, const Seed& seed) override {
    return around([&] { return stream_.begin(snapshot, seed); });
  }
  Result<Published> attach(const std::string& life, const Snapshot& snapshot) override {
    return around([&] { return stream_.attach(life, snapshot); });
  }

 private:
  Stream& stream_;
  const std::function<void()> around_;
};

/// One relay on one thread. A heartbeat with every step.
class SteppedRelay {
 public:
  SteppedRelay(
      const std::filesystem::path& database, const redis::Address& address, Clock& clock, Random& random,
      SnapshotConfig config = {}, std::function<void()> around_writes = [] {})
      : tail_source_(database, clock),
        scan_source_(database, clock),
        stream_(address, clock, test_timeouts),
        interrupted_(stream_, std::move(around_writes)),
        tail_(tail_source_, interrupted_, clock, stats_, {.beat_interval = 0ms, .abandoned_after = 1000ms}),
        snapshots_(scan_source_, interrupted_, random, stats_, config) {}

  void step() {
    snapshots_.step();
    tail_.step();
  }
  Tail& tail() { return tail_; }
  SnapshotMaker& snapshots() { return snapshots_; }
  RedisStream& stream() { return stream_; }
  const RelayStats& stats() const { return stats_; }

 private:
  feed::SqliteFeed tail_source_;
  feed::SqliteFeed scan_source_;
  RedisStream stream_;
  InterruptedStream interrupted_;
  RelayStats stats_;
  Tail tail_;
  SnapshotMaker snapshots_;
};

/// A reader; before each of its looks the relay has done what there was to do.
class SettledFeed final : public feed::ChangeFeed {
 public:
  SettledFeed(feed::ChangeFeed& feed, std::function<void()> settle, const Clock& clock)
      : feed_(feed), settle_(std::move(settle)), clock_(clock) {}

  Result<Position, feed::FeedError> load(feed::SnapshotSink& sink) override {
    settle_();
    return feed_.load(sink);
  }
  void resume(const LogEnd& known) override { feed_.resume(known); }
  /// With patience, an empty batch is a proof of after the call.
  Result<feed::Batch, feed::FeedError> next(Position after, std::chrono::milliseconds patience) override {
    const BootTime called = clock_.boot();
    const BootTime deadline = called + std::min<std::chrono::milliseconds>(patience, std::chrono::hours(2));
    for (;;) {
      settle_();
      auto batch = feed_.next(after, 0ms);
      const bool proved = batch && !batch->more && batch->current_as_of >= called;
      if (!batch || !batch->changes.empty() || patience == 0ms || woken_.exchange(false) ||
          (proved && clock_.boot() >= deadline)) {
        return batch;
      }
    }
  }
  void wake() override {
    woken_ = true;
    feed_.wake();
  }

 private:
  feed::ChangeFeed& feed_;
  const std::function<void()> settle_;
  const Clock& clock_;
  std::atomic<bool> woken_{false};
};

class RelayWorld final : public feed::FeedWorld {
 public:
  explicit RelayWorld(SnapshotConfig config = {}) : config_(config) { reopen_feed(); }

  store::KeyStore& store() override { return database_.store(); }
  feed::ChangeFeed& feed() override { return *settled_; }
  void reopen_feed() override {
    feed_ = std::make_unique<feed::RedisFeed>(redis_.address(), clock_, test_timeouts);
    settled_ = std::make_unique<SettledFeed>(
        *feed_, [this] { settle(); }, clock_);
  }
  std::function<void()> backup() override { return database_.backup(); }
  void replace() override { database_.replace(); }
  void make_unreachable() override { redis_.pause(); }
  void make_reachable() override {
    redis_.resume();
    const auto still_pausing = [this] {
      const auto look = feed_->next({}, 0ms);
      return !look && look.error().kind != feed::FeedError::Kind::reload;
    };
    while (still_pausing()) std::this_thread::sleep_for(10ms);
  }
  void lose_change(Seq seq) override { database_.lose_change(seq); }

  /// Steps until a heartbeat is written: a life may have to be ended, begun, joined and filled before. Gives up where
  /// nothing answers.
  void settle() {
    const auto& stats = relay().stats();
    const auto failures = stats.unavailable.load();
    const auto beats = stats.beats.load();
    while (stats.beats == beats && stats.unavailable < failures + 6) relay().step();
  }
  SteppedRelay& relay() {
    if (!relay_) relay_ = another_relay();
    return *relay_;
  }
  /// As after kill -9: what it knew is gone, what it wrote is there.
  void lose_relay() { relay_.reset(); }
  std::unique_ptr<SteppedRelay> another_relay(std::function<void()> around_writes = [] {}) {
    return std::make_unique<SteppedRelay>(database_.path(), redis_.address(), clock_, random_, config_,
                                          std::move(around_writes));
  }
  void replace_relay(std::unique_ptr<SteppedRelay> other) { relay_ = std::move(other); }

  feed::SqliteWorld& database() { return database_; }
  redis::TestServer& redis() { return redis_; }
  feed::RedisFeed& bare_feed() { return *feed_; }
  SystemClock& clock() { return clock_; }
  SystemRandom& random() { return random_; }

 private:
  const SnapshotConfig config_;
  SystemClock clock_;
  SystemRandom random_;
  feed::SqliteWorld database_;
  redis::TestServer redis_;
  std::unique_ptr<SteppedRelay> relay_;
  std::unique_ptr<feed::RedisFeed> feed_;
  std::unique_ptr<SettledFeed> settled_;
};

}  // namespace latchkey::relay
