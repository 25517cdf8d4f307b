#pragma once

// Keeps the stream's snapshot: begins a life where there is none, renews the snapshot when the log behind it has grown
// long or when a part of it was lost.
//
// A snapshot is every row as of one position: the rows of a scan, then the rows of every change up to the position that
// was the end when the scan was over. Rows go out in chunks as they come; nothing is kept but the chunk being filled.
// A new life's log is seeded with the changes before that position, so that readers that have followed the same history
// (Redis was emptied under them) go on without a load.

#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "feed/change_feed.hpp"
#include "relay/logged_retries.hpp"
#include "relay/relay_stats.hpp"
#include "relay/stream.hpp"

namespace latchkey::relay {

struct SnapshotConfig {
  std::size_t chunk_bytes = 256U << 10U;
  std::uint64_t seeded_changes = 10'000;
  /// A new snapshot once the log behind the last has this many changes, and a quarter of the rows of the last.
  std::uint64_t changes_between = 50'000;
  std::chrono::milliseconds look_interval{100};
  unsigned waits_for_tail = 100;  // look intervals; then another snapshot is taken
};

/// step() by one thread. All references outlive it; `source` is not the tail's.
class SnapshotMaker {
 public:
  SnapshotMaker(feed::ChangeFeed& source, Stream& stream, Random& random, RelayStats& stats,
                SnapshotConfig config = {});

  /// One look and, where due, one whole snapshot. Returns the pause that should follow.
  std::chrono::milliseconds step();
  /// Makes a step that writes a snapshot end early, without having published it. Any thread.
  void stop() { stopping_ = true; }

 private:
  class Rows;

  /// A snapshot that waits for the tail to reach its end.
  struct Waiting {
    std::string life;
    Snapshot snapshot;
    unsigned attempts = 0;
  };

  bool due(const Life& life) const;
  Result<Snapshot> take();
  Result<Seed> prepare_seed(const Snapshot& snapshot);
  Result<Published> begin_life();
  Result<Published> renew(const Life& life);
  Result<Published> attach();
  std::string new_name();

  feed::ChangeFeed& source_;
  Stream& stream_;
  Random& random_;
  RelayStats& stats_;
  const SnapshotConfig config_;
  std::optional<Waiting> waiting_;
  std::uint64_t rows_of_last_ = 0;
  LoggedRetries retries_;
  std::atomic<bool> stopping_{false};
};

}  // namespace latchkey::relay
