#pragma once

// Reads of the stream, each one script or one command, so each of one moment.

#include "feed/redis/stream_access.hpp"
#include "redis/link.hpp"

namespace latchkey::feed {

/// One thread. `link` and `clock` outlive it. Errors: `reload` for a log that is not dense, `unavailable` for all else.
class StreamReader {
 public:
  StreamReader(redis::Link& link, const Clock& clock) : link_(link), clock_(clock) {}

  /// At most 1,000 changes after `after`, and whether the log still has the change at `known`.
  Result<StreamSight, FeedError> read(Seq after, Seq known);
  Result<SnapshotName, FeedError> snapshot();
  Result<void, FeedError> load(const SnapshotName& snapshot, SnapshotSink& sink);
  void distrust(const std::string& life);

 private:
  Result<redis::Reply, FeedError> run(const redis::Command& command);

  redis::Link& link_;
  const Clock& clock_;
};

}  // namespace latchkey::feed
