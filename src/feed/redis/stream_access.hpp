#pragma once

// A reader's way to the stream. Reads are of one moment each; Redis is one engine, the simulation's server another.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "feed/change_feed.hpp"
#include "feed/log_end.hpp"

namespace latchkey::feed {

/// What one read of the stream found.
struct StreamSight {
  std::string life;
  Seq base = {};  // the log holds what came after it
  LogState log;   // its end, and the nonce at the change asked about
  std::uint64_t tick = 0;
  Seq beat_seq = {};
  std::uint64_t beat_tick = 0;   // 0: no heartbeat yet
  std::string nudge;             // id of the newest nudge
  std::vector<Change> changes;   // after the position asked for; dense
  BootTime stamp;                // before the read was sent
  std::uint64_t connection = 0;  // which one carried it: another may lead to another server
};

struct SnapshotName {
  std::string life;
  std::string name;
  LogEnd end;
  std::uint64_t chunks = 0;
};

enum class Nudge : std::uint8_t { nudged, woken, timeout };

/// One thread, except wake(). Errors: `reload` for a log that is not dense, `unavailable` for all else.
class StreamAccess {
 public:
  virtual ~StreamAccess() = default;

  /// At most 1,000 changes after `after`, and whether the log still has the change at `known`.
  virtual Result<StreamSight, FeedError> read(Seq after, Seq known) = 0;
  virtual Result<SnapshotName, FeedError> snapshot() = 0;
  virtual Result<void, FeedError> load(const SnapshotName& snapshot, SnapshotSink& sink) = 0;
  /// Says that this life's rows are not the store's, so that a relay begins another. Best effort.
  virtual void distrust(const std::string& /*life*/) {}
  /// Returns when something was written after the nudge `seen` (or may have been), on wake(), or after `patience`.
  virtual Result<Nudge> wait(const std::string& seen, std::chrono::milliseconds patience) = 0;
  /// Any thread.
  virtual void wake() = 0;
};

}  // namespace latchkey::feed
