#pragma once

#include <filesystem>

namespace latchkey::store {

/// Whether the wal-index (-shm) beside a database was made from the -wal beside it, by their headers (SQLite's
/// walformat.html, 2.1). True where either says nothing.
///
/// SQLite makes a new wal-index when nobody holds the one it finds, and believes it otherwise. One that a reader made
/// for a database which was removed meanwhile tells of a -wal that is gone, and commits written after that place are
/// read by nobody: a malformed database.
///
/// The answer is worth something only while no commit is under way (store/sqlite/wal_write_lock.hpp): the first one on
/// a new -wal writes the header there before the index has its salts.
///
/// Opens and closes both files, which drops this process's POSIX locks on them: only while it has no connection.
bool wal_index_fits(const std::filesystem::path& database);

}  // namespace latchkey::store
