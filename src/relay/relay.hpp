#pragma once

// A running relay: a tail and a snapshot maker, each on a thread of its own, with a source and a stream of its own.

#include <memory>

#include "base/wakeable_thread.hpp"
#include "relay/snapshot_maker.hpp"
#include "relay/tail.hpp"

namespace latchkey::relay {

struct RelayConfig {
  TailConfig tail;
  SnapshotConfig snapshot;
};

/// What one of the two threads works with.
struct RelayEnd {
  std::unique_ptr<feed::ChangeFeed> source;
  std::unique_ptr<Stream> stream;
};

/// start() and stop() by one thread, once each.
class Relay {
 public:
  /// `clock` and `random` outlive it; `random` is used by one of the threads.
  Relay(RelayEnd tail, RelayEnd snapshots, const Clock& clock, Random& random, RelayConfig config = {});
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  void start();
  void stop();
  const RelayStats& stats() const { return stats_; }
  const FollowedEpoch& followed() const { return tail_.followed(); }

 private:
  RelayStats stats_;
  RelayEnd tail_end_;
  RelayEnd snapshot_end_;
  Tail tail_;
  SnapshotMaker snapshots_;
  WakeableThread tail_thread_;
  WakeableThread snapshot_thread_;
};

}  // namespace latchkey::relay
