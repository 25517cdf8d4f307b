#pragma once

#include <filesystem>
#include <optional>

#include "base/random.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/file_identity.hpp"

namespace latchkey::store {

/// The writer's connection, and the moves from one file to the next when the database is replaced while we run: a
/// connection would go on with the file it has open, and what it commits there nobody else sees. One thread.
class StoreFile {
 public:
  /// Opens the file at `path`, with tables made where it has none. `random` outlives this.
  static Result<StoreFile> open(std::filesystem::path path, Random& random);

  /// ErrorCode::unavailable when nothing is open, or not what the path names.
  Result<void> still_there() const;
  /// Whether follow() has something to do: the file that is open was emptied, or another has come in its place. One
  /// that is merely gone stays open: it may come back.
  bool must_follow() const;
  /// Closes what is open and opens what the path names now, under a new epoch; nothing is made here. Every other
  /// connection of this process must be closed: two lives of the database may share a -shm, and with it POSIX locks.
  Result<void> follow();

  /// Closes without writing the -wal back: what the path names by now is not for our checkpoint to write to.
  void abandon();

  bool is_open() const { return database_.has_value(); }
  Database& database() { return *database_; }
  const std::filesystem::path& path() const { return path_; }
  const FileIdentity& identity() const { return identity_; }

 private:
  StoreFile(std::filesystem::path path, Random& random) : path_(std::move(path)), random_(&random) {}
  Result<void> open_with(Result<void> (*prepare)(Database&, Random&));
  void set_orphans_aside(const FileIdentity& now);

  std::filesystem::path path_;
  Random* random_;
  std::optional<Database> database_;
  FileIdentity identity_;  // of what is, or was last, open
};

}  // namespace latchkey::store
