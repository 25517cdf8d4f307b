#pragma once

// The engine on PostgreSQL 15 and later, by libpq. Several management services may have one on the same database: each
// has one writer connection and a few for reads. The tables: store/postgres/migrations.
//
// - The role needs to own the tables, or for the first start may create them. Poolers must keep sessions.
// - TLS is libpq's: sslmode, sslrootcert, sslcert … in the URL.
// - A database that is away is waited for up to 5 s. After that commands fail at once with ErrorCode::unavailable,
// until
//   it is back. Deadlocks and serialization failures are run again.
// - Where the connection is lost during COMMIT, the store looks on another connection whether the change is in the log,
//   and answers accordingly. If it cannot look in time, the answer is ErrorCode::unavailable, "outcome is not known".
// - After a failover or a restored backup the store goes on in a new epoch.

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "store/chain.hpp"
#include "store/key_store.hpp"

namespace latchkey::store {

/// Connects and makes the tables where there are none. `clock` outlives the store. ErrorCode::invalid for a URL that
/// cannot be read, ErrorCode::unavailable when the server cannot be reached, ErrorCode::conflict when the tables are
/// somebody else's or a newer release's. No text contains the URL's password.
Result<std::unique_ptr<KeyStore>> open_postgres(std::string_view url, Clock& clock);

/// As of one moment, also while services work on it; changes nothing. ErrorCode::conflict where there is no chain.
Result<VerifiedChain> verify_postgres_chain(std::string_view url);

/// Whether open_postgres() could read the URL; connects to nothing.
Result<void> check_postgres_url(std::string_view url);

/// Which database the URL leads to, without user and password; the same text for the same database.
std::string postgres_place(std::string_view url);

}  // namespace latchkey::store
