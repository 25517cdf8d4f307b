#pragma once

// Tails the `changes` table of the embedded store's file from another process (or the same one).
//
//   wait:  inotify on the file's directory and its -wal → watch the wal-index header → read, with a poll behind
//   read:  one short transaction: epoch, the log's end, the nonce at the end seen before, at most 1,000 changes, none
//          of which is shown before the witness beside the file knows it
//
// Every read first asks whether the path still names the files we have open.

#include <filesystem>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "feed/change_feed.hpp"
#include "feed/log_end.hpp"
#include "feed/sqlite/waker.hpp"
#include "store/sqlite/witness.hpp"

namespace latchkey::feed {

class LogReader;

class SqliteFeed final : public ChangeFeed {
 public:
  /// The file need not exist yet: until it does, everything is `unavailable`. `clock` outlives the feed.
  SqliteFeed(std::filesystem::path path, Clock& clock);
  ~SqliteFeed() override;

  Result<Position, FeedError> load(SnapshotSink& sink) override;
  void resume(const LogEnd& known) override;
  Result<Batch, FeedError> next(Position after, std::chrono::milliseconds patience) override;
  void wake() override;

 private:
  Result<void, FeedError> open();
  Result<Batch, FeedError> read(Position after);

  const std::filesystem::path path_;
  Clock& clock_;
  Waker waker_;
  store::Witness witness_;
  std::unique_ptr<LogReader> reader_;  // none until the file could be opened
  std::optional<LogEnd> known_;        // outlives a reader: what was seen must still hold when the file comes back
};

}  // namespace latchkey::feed
