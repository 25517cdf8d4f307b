#pragma once

// The tables are described in migrations/1.sql, and what came later in the files beside it. A new database goes through
// all of them, an old one through those that it has not seen.

#include "base/error.hpp"
#include "store/postgres/connection.hpp"
#include "store/schema_version.hpp"

namespace latchkey::store::postgres {

/// Brings the database to schema_version, one management service at a time, makes this database the one that readers
/// trust (life.hpp), and wakes triggers that were put to sleep. ErrorCode::conflict when there are tables of these
/// names that are somebody else's, or a newer release's, or that another database fills.
Result<void> migrate(Connection& connection);

/// The names of triggers that are disabled, or that session_replication_role passes by; empty: none.
Result<std::string> sleeping_triggers(Connection& connection);

}  // namespace latchkey::store::postgres
