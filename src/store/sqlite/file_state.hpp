#pragma once

// Whether the -wal belongs to the database file beside it. In WAL mode SQLite writes the database file in checkpoints
// only, and counts in -shm which frames it has written back. So a database file that was written, or replaced, while
// that count stood still was written behind SQLite's back: by cp, of a backup for example. A digest of its first pages
// tells that from a mere `touch`: the page of sqlite_sequence is among them, which every change rewrites.

#include <cstdint>
#include <filesystem>

#include "base/error.hpp"
#include "store/sqlite/database.hpp"

namespace latchkey::store {

/// SQLite's own handle of an open database file, and its mapping of the -shm, both for the life of the connection. An
/// own descriptor of either would, when closed, drop the locks that SQLite holds in this process.
struct OpenFiles {
  sqlite3_file* database = nullptr;
  const volatile std::uint32_t* index = nullptr;
  static Result<OpenFiles> of(Database& database);
};

struct FileState {
  std::uint64_t device = 0, inode = 0, written_ns = 0;  // of the database file; 0: not known
  std::uint64_t digest = 0;                             // of its first pages
  std::uint64_t wal_inode = 0;                          // 0: there is none, or it is empty
  std::uint64_t salt = 0, frames = 0, checksum = 0;     // of the -wal, as the wal-index has them
  std::uint64_t written_back = 0;                       // frames; no_index where nobody has an index
  std::uint64_t being_written_back = 0;  // more than written_back: in a checkpoint, or it was killed in one
  bool operator==(const FileState&) const = default;

  static constexpr std::uint64_t no_index = ~std::uint64_t{0};
  /// Of a database that is open here. `last` saves digesting a file that was not written since.
  static FileState of(const std::filesystem::path& path, const OpenFiles& open, const FileState& last);
  /// What stat() tells: the first three, and wal_inode.
  static FileState of_names(const std::filesystem::path& path);
  /// Of one that this process does not have open.
  static FileState of_closed(const std::filesystem::path& path);

  bool same_database_file(const FileState& other) const {
    return device == other.device && inode == other.inode && written_ns == other.written_ns;
  }
};

/// Whether the database file was written or replaced by somebody other than SQLite since `known`, and the -wal stayed.
bool written_behind(const FileState& known, const FileState& now);
/// Whether nothing was committed between them. For the same database, which was closed or killed in between perhaps.
bool same_content(const FileState& known, const FileState& now);

}  // namespace latchkey::store
