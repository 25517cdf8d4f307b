#pragma once

// Which life of which database this is, and where its log ends: what an epoch is made of.
//
//   epoch = SHA-256(origin, system identifier, timeline, oid of the table `changes`), its first eight bytes
//
// origin: random, made with the tables and anew when a store sees history go back. System identifier: another cluster,
// into which a dump was restored. Timeline: a failover, or a backup recovered to a point in time. Oid: a dump restored
// in this cluster. A copy of the whole data directory put back shows in none of these; nonces tell (feed/log_end.hpp).

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "key/change.hpp"
#include "store/postgres/connection.hpp"

namespace latchkey::store::postgres {

// The database that is read must be the one that commits, or a standby of it. What is no such database has the rows of
// another all the same, and would be taken for the primary: a subscriber of logical replication, or a restored dump
// that no management service has opened yet. meta.home says where a management service has committed last; the
// subscriber's catalog says that it is one.

/// SELECT life_columns FROM life_source answers with one row. On a primary the timeline is the one it writes now,
/// before its first change on it even; a standby knows that of the last change. to_jsonb: of columns that an older
/// schema has not.
constexpr std::string_view life_columns =
    "e.seq, e.nonce, m.origin, 'changes'::regclass::oid::bigint,"
    " CASE WHEN pg_is_in_recovery() THEN l.timeline ELSE current_timeline() END,"
    " m.schema_version, to_jsonb(m)->>'readers', to_jsonb(m)->>'home',"
    " EXISTS (SELECT FROM pg_subscription_rel WHERE srrelid IN"
    " ('access_keys'::regclass, 'signing_keys'::regclass, 'changes'::regclass))";
constexpr std::string_view life_source =
    "meta m CROSS JOIN log_lock l LEFT JOIN (SELECT seq, nonce FROM changes ORDER BY seq DESC LIMIT 1) e ON true";
constexpr int life_column_count = 9;

/// `row` begins with life_columns, of a query on a connection to `system`.
LogEnd read_log_end(const Row& row, const std::string& system);
/// Whether a replica or relay may go by what is here, and whether a management service may commit here; the first and
/// the second ErrorCode::unavailable with a sentence that says what to do. `row` as for read_log_end().
Result<void> check_readable(const Row& row);
Result<void> check_writable(const Row& row);
/// Whether a management service has committed to this very database, or the primary of it, last. A reader judges any
/// other by its heartbeat, as it does a standby.
bool is_home(const Row& row, const std::string& system);
/// Says in the database that one does from now on; of the primary, in the transaction that the connection is in, if
/// any. ErrorCode::conflict where another database fills this one; else as check_writable().
Result<void> make_home(Connection& connection);
/// read_log_end(), asked by itself. As of the transaction that the connection is in, if any.
Result<LogEnd> log_end(Connection& connection);
/// The same, for a replica or relay: with check_readable().
Result<LogEnd> readable_log_end(Connection& connection);

}  // namespace latchkey::store::postgres
