#include "relay/postgres/lineage.hpp"

namespace latchkey::relay {

Result<std::optional<Lineage>> PostgresLineage::read() {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  const auto rows = (*connection)->query("SELECT CASE WHEN NOT pg_is_in_recovery() THEN current_timeline() END");
  if (!rows || rows->count() != 1) {
    link_.drop_if_lost();
    return rows ? Error(ErrorCode::unavailable, "the store does not say its timeline") : rows.error();
  }
  if ((*rows)[0].is_null(0)) return std::optional<Lineage>();
  return std::optional(Lineage{(*connection)->system(), static_cast<std::uint64_t>((*rows)[0].integer(0))});
}

}  // namespace latchkey::relay
