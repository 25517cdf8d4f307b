#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "feed/change_feed.hpp"
#include "feed/log_end.hpp"
#include "feed/sqlite/waker.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/file_identity.hpp"
#include "store/sqlite/file_state.hpp"
#include "store/sqlite/witness.hpp"

namespace latchkey::feed {

/// One open life of the database file, and the checks that it is still the one we know. One thread. What it hands out
/// is in the witness first; a log that has lost what was shown gets a new epoch, which is all that a reader ever
/// writes.
class LogReader {
 public:
  /// `witness` outlives it.
  static Result<std::unique_ptr<LogReader>, FeedError> open(const std::filesystem::path& path, store::Witness& witness);

  /// Every row, in transactions of at most 1,000. Returns the log's end before the first row was read; `known` becomes
  /// its end as last seen. Any failure is `unavailable`.
  Result<Position, FeedError> load(SnapshotSink& sink, std::optional<LogEnd>& known);
  /// Every row as of one moment, in one transaction, which keeps the WAL from being reused meanwhile. Returns the log's
  /// end at that moment. Any failure is `unavailable`.
  Result<LogEnd, FeedError> scan(SnapshotSink& sink);
  /// One transaction; never waits. `as_of` is a moment not after this call. `known`: the end as last seen, updated.
  Result<Batch, FeedError> read(Position after, BootTime as_of, std::optional<LogEnd>& known);
  /// Whether the path still names the files that are open here.
  Result<void, FeedError> check_identity() const;

  /// For Waker: SQLite's mapping of the wal-index, and the header as it was before the last read().
  const volatile std::uint32_t* shared() const { return files_.index; }
  const WalHeader& seen() const { return seen_; }

 private:
  LogReader(std::filesystem::path path, store::Database database, store::Witness& witness)
      : path_(std::move(path)), db_(std::move(database)), witness_(witness) {}

  Result<LogState, FeedError> look(const std::optional<LogEnd>& known);
  /// Runs `read` in a read transaction, after making sure that the log continues from `after` and `known`.
  template <class Read>
  Result<void, FeedError> in_transaction(Position after, std::optional<LogEnd>& known, Read read);
  /// Begins a read transaction of which all may be shown.
  Result<void, FeedError> begin();
  Result<void, FeedError> settle();
  Result<void, FeedError> read_changes(Batch& batch);
  /// Hands over up to 1,000 keys after `last`, which it moves on; empty text when there are no more.
  Result<void, FeedError> load_chunk(SnapshotSink& sink, std::string& last);
  Result<void, FeedError> load_signing_keys(SnapshotSink& sink);
  Result<void, FeedError> load_terms(SnapshotSink& sink);
  FeedError unavailable(int code) const;

  const std::filesystem::path path_;
  store::Database db_;
  store::FileIdentity identity_;
  store::Witness& witness_;
  store::OpenFiles files_;
  store::FileState known_files_;  // as the store noted them last
  WalHeader seen_{};
};

}  // namespace latchkey::feed
