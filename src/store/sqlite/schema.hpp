#pragma once

// The tables of the embedded engine, readable and editable in the sqlite3 shell.
//
//   access_keys   one row a key; `version` is the seq of the change that made the row so
//   signing_keys  one row a signing key
//   changes       append-only: every change of those two, by trigger, in the same transaction, with the full new row
//   idempotency   what idempotent commands answered
//   meta          epoch: 16 hex digits, random, drawn when the database is made and whenever its log may have lost a
//                 change that somebody has seen (store/sqlite/settle.hpp); moved_to: store/sqlite/moved.hpp
//                 readers: which readers may read (store/schema_version.hpp)
//
// How a trigger tells a command from a hand edit: a command's statement also sets the column `command` to its action,
// and the trigger takes it back to NULL at once. A statement that leaves it NULL was typed by hand; the trigger then
// finds the action by comparing the rows, names the actor "unknown" and moves `updated_at` forward itself.
// In `changes`, `at` and `actor` are the row's updated_at and updated_by; `kid` is NULL for access keys and `key_id`
// for signing keys. `nonce` is random: where two histories have the same seq, it tells them apart.

#include "base/error.hpp"
#include "base/random.hpp"
#include "key/position.hpp"
#include "store/schema_version.hpp"
#include "store/sqlite/database.hpp"

namespace latchkey::store {

constexpr std::int64_t application_id = 0x4c4b6579;  // PRAGMA application_id: "LKey"

/// ErrorCode::conflict when the database is somebody else's, newer than this release, or moved elsewhere.
Result<void> check_ours(Database& database);

/// Sets WAL mode and brings the file to schema_version (PRAGMA user_version): a new one through all steps, an old one
/// through those it has not seen. ErrorCode::conflict when the file is somebody else's or newer.
Result<void> migrate(Database& database, Random& random);

/// As migrate(), for a file that came in the place of another while the store had that open: makes no tables in an
/// empty one (ErrorCode::unavailable).
Result<void> adopt(Database& database, Random& random);

/// In a write transaction: gives the database a new, random epoch.
Result<Epoch> begin_epoch(Database& database, Random& random);
/// As in store/schema_version.hpp, of the file as the connection's transaction sees it.
Result<void> check_writable(Database& database);
Result<void> check_readable(Database& database);

}  // namespace latchkey::store
