#pragma once

#include <filesystem>
#include <string_view>

#include "base/error.hpp"
#include "store/sqlite/witness.hpp"

namespace latchkey::store {

/// Before this process opens the database: moves -wal and -shm out of the way when the database file was written or
/// replaced beside them, as by a backup copied over it after a crash. SQLite would lay their pages over it.
Result<void> set_foreign_wal_aside(const std::filesystem::path& database, Witness& witness);

/// Renames it, with .replaced added, and says so: it may hold commits that no other file has.
void set_file_aside(const std::filesystem::path& file, std::string_view why);

/// Sets a -shm aside that was made from another -wal than the one beside it. One through which another process writes
/// stays, and so does one that is not there. Only while this process has no connection (store/sqlite/wal_index.hpp).
void set_unfitting_index_aside(const std::filesystem::path& database);

}  // namespace latchkey::store
