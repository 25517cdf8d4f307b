#pragma once

// Reads of the stream, each one script or one command, so each of one moment.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "feed/change_feed.hpp"
#include "feed/log_end.hpp"
#include "redis/link.hpp"

namespace latchkey::feed {

/// What one read of the stream found.
struct StreamSight {
  std::string life;
  std::uint64_t base = 0;  // the log holds what came after it
  LogSight log;            // its end, and the nonce at the change asked about
  std::uint64_t tick = 0;
  std::uint64_t beat_seq = 0;
  std::uint64_t beat_tick = 0;  // 0: no heartbeat yet
  std::string nudge;            // id of the newest nudge
  std::vector<Change> changes;  // after the position asked for; dense
  BootTime stamp;               // before the read was sent
};

struct SnapshotName {
  std::string name;
  LogEnd end;
  std::uint64_t chunks = 0;
};

/// One thread. `link` and `clock` outlive it. Errors: `reload` for a log that is not dense, `unavailable` for all else.
class StreamReader {
 public:
  StreamReader(redis::Link& link, const Clock& clock) : link_(link), clock_(clock) {}

  /// At most 1,000 changes after `after`, and whether the log still has the change at `known`.
  Result<StreamSight, FeedError> read(std::uint64_t after, std::uint64_t known);
  Result<SnapshotName, FeedError> snapshot();
  Result<void, FeedError> load(const SnapshotName& snapshot, SnapshotSink& sink);

 private:
  Result<redis::Reply, FeedError> run(const redis::Command& command);

  redis::Link& link_;
  const Clock& clock_;
};

}  // namespace latchkey::feed
