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

/// SELECT life_columns FROM life_source answers with one row. On a primary the timeline is the one it writes now,
/// before its first change on it even; a standby knows that of the last change.
constexpr std::string_view life_columns =
    "e.seq, e.nonce, m.origin, 'changes'::regclass::oid::bigint,"
    " CASE WHEN pg_is_in_recovery() THEN l.timeline ELSE current_timeline() END";
constexpr std::string_view life_source =
    "meta m CROSS JOIN log_lock l LEFT JOIN (SELECT seq, nonce FROM changes ORDER BY seq DESC LIMIT 1) e ON true";
constexpr int life_column_count = 5;

/// `row` begins with life_columns, of a query on a connection to `system`.
LogEnd read_log_end(const Row& row, const std::string& system);
/// That, asked by itself. As of the transaction that the connection is in, if any.
Result<LogEnd> log_end(Connection& connection);

}  // namespace latchkey::store::postgres
