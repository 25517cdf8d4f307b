#pragma once

// The embedded engine. One writer thread puts the works of many callers into one commit; readers have connections of
// their own and never wait for it. The tables: store/sqlite/schema.hpp.

#include <filesystem>
#include <memory>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "store/key_store.hpp"

namespace latchkey::store {

/// Opens the database file at `path`, made (0600, in a directory made 0700) when there is none. Other processes may
/// have it open, the sqlite3 shell included. `clock` and `random` outlive the store. When the file is
/// replaced meanwhile, commands and reads fail with ErrorCode::unavailable, never go to the file that is gone, and the
/// store goes on with the new one, in a new epoch; a file that is gone or emptied is waited for. Fails with
/// ErrorCode::unavailable when the file cannot be opened or is locked, ErrorCode::conflict when it is not a Latchkey
/// database or was written by a newer release. A work that finds more than `max_queued_works` waiting is refused with
/// ErrorCode::unavailable, on the caller's thread.
Result<std::unique_ptr<KeyStore>> open_sqlite(const std::filesystem::path& path, Clock& clock, Random& random);

}  // namespace latchkey::store
