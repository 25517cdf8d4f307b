#pragma once

// Copies of the embedded store, made and put back by files. Both ask whether the copy is whole.

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "key/position.hpp"

namespace latchkey::store {

struct Copied {
  std::uint64_t access_keys = 0;
  Position position;           // in the copy
  std::filesystem::path kept;  // of a restore: where the files are that were replaced; empty: there were none
};

/// Copies the database as of one moment, also while services work on it, to `file`, which gets its name once it is
/// whole and on the disk. ErrorCode::conflict when there is such a file, when `database` is not a database of ours or
/// moved elsewhere.
Result<Copied> back_up_sqlite(const std::filesystem::path& database, const std::filesystem::path& file);

/// Puts a copy of `backup`, which stays as it is, in the place of `database`, in a new epoch. What was there is
/// renamed, -wal and -shm with it, by `suffix`, and a number where that name is taken. Nobody may have it open. ErrorCode::conflict when `backup` is not
/// whole, not a database of ours, of a newer release, or moved elsewhere; then nothing was touched.
Result<Copied> restore_sqlite(const std::filesystem::path& backup, const std::filesystem::path& database,
                              std::string_view suffix, Random& random);

}  // namespace latchkey::store
