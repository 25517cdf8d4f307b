#pragma once

// The tables beside the log (store/audit.hpp, store/chain.hpp), and what is asked of them.
//
//   audit   what is noted beside a change, by seq; of changes by hand, by trigger
//   chain   a link a change, by seq; the first row is that of no change: the chain begins after it
//
// They are no part of the schema's number (docs/decisions/the-audit-tables-stand-beside-the-schema.md): they are made
// where they are missing, and a release that does not know them goes on as before.

#include <filesystem>

#include "base/random.hpp"
#include "store/audit.hpp"
#include "store/chain.hpp"
#include "store/sqlite/database.hpp"

namespace latchkey::store {

/// In a write transaction.
Result<void> make_audit_tables(Database& database);

/// Of the changes after `after`.
Result<void> put_notes(Database& database, Seq after, const AuditNote& note);

/// Adds the links of all changes that have none, at most 10,000 at a time; in a write transaction. Whether any is left.
Result<bool> link_changes(Database& database, Random& random);
/// Whether there are changes without a link.
Result<bool> has_unlinked(Database& database);

Result<AuditPage> audit(Database& database, const AuditQuery& query);
/// The statement that audit() uses for such a query: each walks an index that has what it asks for.
std::string audit_sql(const AuditQuery& query);

/// Of the file at `path`, as of one moment, also while services work on it. ErrorCode::conflict where there is no chain.
Result<VerifiedChain> verify_sqlite_chain(const std::filesystem::path& path);

}  // namespace latchkey::store
