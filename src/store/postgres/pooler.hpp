#pragma once

#include <memory>

#include "store/postgres/connection.hpp"

namespace latchkey::store::postgres {

/// Refuses a pooler that gives each transaction another of its connections (PgBouncer: pool_mode=transaction or
/// statement): session settings, prepared statements and LISTEN would be lost there, and leak to others. In session
/// mode a pooler is transparent.
///
/// Recognised by what it does: behind a pooler the process id that came with the connection is not the one that
/// answers. If so, a second connection is opened for a moment. When both are served by one process, or one of them by
/// two in turn, the pooler shares. A session setting comes first, for poolers that keep a connection from then on
/// (Amazon's RDS Proxy).
///
/// ErrorCode::unavailable with the setting and the remedy. What cannot be found out, since there is no second
/// connection within a second, passes: in session mode a pool may be empty.
Result<void> check_pooler(Connection& connection, const Url& url, Server server);

}  // namespace latchkey::store::postgres
