#pragma once

#include "feed/redis/stream_access.hpp"
#include "feed/redis/stream_reader.hpp"
#include "feed/redis/wake_subscription.hpp"

namespace latchkey::feed {

/// The stream in Redis: one connection for reads, one on which a nudge is awaited.
class RedisAccess final : public StreamAccess {
 public:
  /// Connects when first used. `clock` outlives it.
  RedisAccess(const redis::Address& address, const Clock& clock, redis::Timeouts timeouts)
      : link_(address, timeouts, clock), reader_(link_, clock), nudges_(address, clock) {}

  Result<StreamSight, FeedError> read(Seq after, Seq known) override { return reader_.read(after, known); }
  Result<SnapshotName, FeedError> snapshot() override { return reader_.snapshot(); }
  Result<void, FeedError> load(const SnapshotName& snapshot, SnapshotSink& sink) override {
    return reader_.load(snapshot, sink);
  }
  void distrust(const std::string& life) override { reader_.distrust(life); }
  Result<Nudge> wait(const std::string& seen, std::chrono::milliseconds patience) override {
    return nudges_.wait(seen, patience);
  }
  void wake() override { nudges_.wake(); }

 private:
  redis::Link link_;
  StreamReader reader_;
  WakeSubscription nudges_;
};

}  // namespace latchkey::feed
