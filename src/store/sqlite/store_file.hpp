#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/random.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/file_identity.hpp"
#include "store/sqlite/settle.hpp"
#include "store/sqlite/witness.hpp"

namespace latchkey::store {

/// The writer's connection, and the moves from one file to the next when the database is replaced while we run: a
/// connection would go on with the file it has open, and what it commits there nobody else sees. One thread.
class StoreFile {
 public:
  /// Opens the file at `path`, with tables made where it has none. `random` outlives this.
  static Result<StoreFile> open(std::filesystem::path path, Random& random);

  /// ErrorCode::unavailable when nothing is open, or not what the path names, or it was written by another program.
  Result<void> still_there() const;
  /// Whether follow() has something to do: the file that is open was emptied or written over, or another has come in
  /// its place. One that is merely gone stays open: it may come back.
  bool must_follow() const;
  /// Closes what is open and opens what the path names now, under a new epoch; nothing is made here. Every other
  /// connection of this process must be closed: two lives of the database may share a -shm, and with it POSIX locks.
  Result<void> follow();

  /// Within a write transaction, before its first work: true when that begins a new epoch.
  Result<bool> settle();
  /// Before its COMMIT and after, when it made changes. Without the first nothing may be committed.
  Result<void> announce(const LogEnd& next) const;
  void confirm(const LogEnd& end);
  /// Takes note of the files, so that a checkpoint of somebody's is not taken for a copy.
  void note_files();

  /// An orderly end: writes the -wal back, and makes the witness one that another boot may believe.
  void close();
  /// Closes without writing the -wal back: what the path names by now is not for our checkpoint to write to.
  void abandon();

  bool is_open() const { return database_.has_value(); }
  Database& database() { return *database_; }
  const std::filesystem::path& path() const { return path_; }
  const FileIdentity& identity() const { return identity_; }
  Witness& witness() const { return *witness_; }

 private:
  StoreFile(std::filesystem::path path, Random& random)
      : path_(std::move(path)), random_(&random), witness_(std::make_unique<Witness>(path_)) {}
  Result<void> open_with(Result<void> (*prepare)(Database&, Random&), Settle when);
  Result<void> settle_opened(Database& database, Settle when);
  bool was_written_over() const;
  void set_orphans_aside(const FileIdentity& now);

  std::filesystem::path path_;
  Random* random_;
  std::optional<Database> database_;
  FileIdentity identity_;  // of what is, or was last, open
  std::unique_ptr<Witness> witness_;
  OpenFiles open_files_;  // of what is open
  FileState files_;       // as last noted
};

}  // namespace latchkey::store
