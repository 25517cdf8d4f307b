#pragma once

#include <sys/types.h>

#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/error.hpp"

namespace latchkey::store {

/// Which files a path names: what a rename, a deletion, a truncation or a copied-in backup changes. A connection keeps
/// the files it opened, so its user must ask now and then whether they still are the database.
struct FileIdentity {
  std::array<std::pair<dev_t, ino_t>, 3> files{};  // the database, -wal, -shm
  bool empty = false;                              // a database, once made, never is

  /// nullopt when there is no file. By stat() only: to close a descriptor of these files would drop SQLite's locks.
  static std::optional<FileIdentity> of(const std::filesystem::path& database);
  /// ErrorCode::unavailable when the path names other files by now, or none.
  Result<void> still_at(const std::filesystem::path& database) const;
  bool operator==(const FileIdentity&) const = default;
};

/// "latchkey.db", "latchkey.db-wal", "latchkey.db-shm": by index in FileIdentity::files.
std::filesystem::path database_file(const std::filesystem::path& database, std::size_t index);

/// `wanted`, "wanted-2", "wanted-3" and so on: the first for which neither a database nor its -wal or -shm is there.
/// What is set aside under it destroys nothing that was set aside before.
std::filesystem::path unused_name(const std::filesystem::path& wanted);

}  // namespace latchkey::store
