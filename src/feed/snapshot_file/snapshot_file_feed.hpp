#pragma once

// Any ChangeFeed, with the reader's own snapshot file beside it (feed/snapshot_file/format.hpp).
//
//   start:   the file, if it is usable, instead of a load; the feed goes on from its position. Of the same boot, and
//            where the feed cannot tell, the file also says how current it is: so the replica serves with everything
//            else down, and refuses as soon as that moment is max_staleness ago, as always.
//   running: every change is appended, and each second how current that is. A file that has doubled is written anew
//            from the reader's rows, some milliseconds' worth at each call, and takes the old one's place by rename.
//   reload:  the file is removed: its history is not the store's.
//
// The file is written on the projector's thread, never on a request's.

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>

#include "base/clock.hpp"
#include "feed/change_feed.hpp"
#include "feed/record.hpp"
#include "feed/snapshot_file/writer.hpp"

namespace latchkey::feed {

/// The rows the reader has, in `slices` parts; called on the thread that calls the feed.
struct RowSource {
  std::size_t slices = 0;
  std::function<void(std::size_t slice, SnapshotSink& sink)> visit;
};

struct SnapshotFileConfig {
  std::filesystem::path path;
  std::string source;   // what the feed reads, e.g. the store's URL: a file of another source is not used
  std::string boot_id;  // of this boot of the machine; empty: as_of of a file is never believed
  std::chrono::milliseconds mark_interval{1000};
  std::chrono::milliseconds work_a_call{5};
  std::uint64_t rewrite_after_bytes = 8U << 20U;  // appended, and at least as much as the file was long
  std::chrono::seconds pause_after_failure{60};
};

class SnapshotFileFeed final : public ChangeFeed {
 public:
  /// `feed` and `clock` outlive it, and so does what `rows` looks at.
  SnapshotFileFeed(ChangeFeed& feed, RowSource rows, const Clock& clock, SnapshotFileConfig config);

  Result<Position, FeedError> load(SnapshotSink& sink) override;
  void resume(const LogEnd& known) override { feed_.resume(known); }
  Result<Batch, FeedError> next(Position after, std::chrono::milliseconds patience) override;
  void distrust() override;
  void wake() override { feed_.wake(); }

  /// Before an orderly end, after the last next(): leaves a file that says all that is known.
  void finish();

 private:
  std::optional<Position> load_file(SnapshotSink& sink);
  Result<Batch, FeedError> unless_file_knows_more(Result<Batch, FeedError> batch);
  void keep(const Batch& batch);
  Result<void> append(const Batch& batch);
  Result<void> write_anew(bool all);
  void forget_file();
  bool due_anew() const;

  ChangeFeed& feed_;
  const RowSource rows_;
  const Clock& clock_;
  const SnapshotFileConfig config_;

  bool file_was_tried_ = false;
  std::optional<Batch> from_file_;  // what the file says, not said yet

  std::optional<snapshot_file::Writer> current_;  // published; appended to
  std::uint64_t first_bytes_ = 0;                 // of current_ when it was published
  std::optional<snapshot_file::Writer> anew_;     // being written
  std::size_t next_slice_ = 0;
  std::optional<snapshot_file::Mark> mark_;  // the newest
  BootTime next_mark_{};
  BootTime next_attempt_{};
};

}  // namespace latchkey::feed
