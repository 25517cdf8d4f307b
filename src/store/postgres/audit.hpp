#pragma once

// As store/sqlite/audit.hpp; migrations/audit.sql has the tables.

#include "base/random.hpp"
#include "store/audit.hpp"
#include "store/chain.hpp"
#include "store/postgres/connection.hpp"

namespace latchkey::store::postgres {

/// In a transaction, where they are missing.
Result<void> make_audit_tables(Connection& connection);

/// Of the changes after `after`.
Result<void> put_notes(Connection& connection, Seq after, const AuditNote& note);

/// Adds the links of all changes that have none, at most 10,000 at a time; the connection's transaction holds the log's
/// lock. Whether any is left.
Result<bool> link_changes(Connection& connection, Random& random);
/// Whether there are changes without a link.
Result<bool> has_unlinked(Connection& connection);

Result<AuditPage> audit(Connection& connection, const AuditQuery& query);

Result<ChainReport> verify_chain(Connection& connection);

}  // namespace latchkey::store::postgres
