#pragma once

// The tables are described in schema.sql.

#include "base/error.hpp"
#include "store/postgres/connection.hpp"

namespace latchkey::store::postgres {

constexpr std::int64_t schema_version = 1;  // in the table meta

/// Brings the database to schema_version, one management service at a time. ErrorCode::conflict when there are tables
/// of these names that are somebody else's, or a newer release's.
Result<void> migrate(Connection& connection);

}  // namespace latchkey::store::postgres
