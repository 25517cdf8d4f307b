#pragma once

// The reference engine: follows a MemoryStore in the same process.

#include <atomic>
#include <optional>

#include "feed/change_feed.hpp"
#include "feed/log_end.hpp"
#include "store/memory/memory_store.hpp"

namespace latchkey::feed {

class MemoryFeed final : public ChangeFeed {
 public:
  /// Both outlive the feed.
  MemoryFeed(store::MemoryStore& store, Clock& clock) : store_(store), clock_(clock) {}

  Result<Position, FeedError> load(SnapshotSink& sink) override;
  void resume(const LogEnd& known) override { known_ = known; }
  Result<Batch, FeedError> next(Position after, std::chrono::milliseconds patience) override;
  void wake() override;

  /// For tests of readers: as if the store could not be reached. Any thread.
  void cut(bool unreachable) { cut_ = unreachable; }

 private:
  store::MemoryStore& store_;
  Clock& clock_;
  std::optional<LogEnd> known_;  // the newest end seen
  std::atomic<bool> woken_{false};
  std::atomic<bool> cut_{false};
};

}  // namespace latchkey::feed
