#include "relay/postgres/lineage.hpp"

namespace latchkey::relay {

using std::chrono::steady_clock;
using store::postgres::Connection;

Result<std::optional<Lineage>> PostgresLineage::read() {
  if (auto connected = make_sure_of_connection(); !connected) return connected.error();
  const auto rows = connection_->query("SELECT CASE WHEN NOT pg_is_in_recovery() THEN current_timeline() END");
  if (!rows || rows->count() != 1) {
    if (connection_->is_lost()) connection_.reset();
    return rows ? Error(ErrorCode::unavailable, "the store does not say its timeline") : rows.error();
  }
  if ((*rows)[0].is_null(0)) return std::optional<Lineage>();
  return std::optional(Lineage{connection_->system(), static_cast<std::uint64_t>((*rows)[0].integer(0))});
}

Result<void> PostgresLineage::make_sure_of_connection() {
  if (connection_) return {};
  if (steady_clock::now() < back_off_.next()) {
    return Error(ErrorCode::unavailable, "the database is not available", "waiting before the next attempt");
  }
  auto opened = Connection::open(url_, store::postgres::Server::any);
  if (!opened) {
    back_off_.failed(steady_clock::now());
    return opened.error();
  }
  back_off_.succeeded();
  connection_ = std::move(*opened);
  return {};
}

}  // namespace latchkey::relay
