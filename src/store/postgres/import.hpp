#pragma once

// Moves a whole store into an empty PostgreSQL database: rows, signing keys, and the log with its dense seqs. The
// nonces stay too, the epoch is the new database's own. Idempotency records stay behind: they are good for a day only.

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "store/key_store.hpp"

namespace latchkey::store {

struct Imported {
  std::uint64_t access_keys = 0;
  std::uint64_t signing_keys = 0;
  std::uint64_t changes = 0;
  Position position;  // in the new database
};

/// All or nothing, in one transaction. Makes the tables where there are none. ErrorCode::conflict when the database is
/// not empty, when `source` changes meanwhile, or when what arrived is not what was sent; then nothing was kept.
/// `before_commit` is called once all has arrived; when it fails nothing is kept. A failure after it leaves open
/// whether anything was.
Result<Imported> import_into_postgres(KeyStore& source, std::string_view url, UnixMillis now,
                                      const std::function<Result<void>()>& before_commit);

}  // namespace latchkey::store
