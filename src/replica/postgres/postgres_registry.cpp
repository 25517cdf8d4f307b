#include "replica/postgres/postgres_registry.hpp"

#include <algorithm>

#include "replica/verdict.hpp"

namespace latchkey::replica {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using store::postgres::Connection;
using store::postgres::Parameters;
using store::postgres::Row;

Result<ReplicaReport> read_report(const Row& row) {
  ReplicaReport report;
  const auto id = ReplicaId::parse(row.text(0));
  const auto applied = row.is_null(4) ? std::nullopt : Position::parse(row.text(4));
  if (!id || (!row.is_null(4) && !applied)) return Error(ErrorCode::unavailable, "a report that is none");
  report.id = *id;
  report.name = row.text(1);
  report.number = static_cast<std::uint64_t>(row.integer(2));
  report.phase = row.boolean(3) ? Phase::stopped : Phase::running;
  report.applied = applied;
  report.applied_nonce = static_cast<std::uint64_t>(row.integer(5));
  report.view_age = milliseconds(row.integer(6));
  report.max_staleness = milliseconds(row.integer(7));
  report.started_at = {row.integer(8)};
  report.reported_at = {row.integer(9)};
  return report;
}

}  // namespace

Result<std::vector<ReplicaReport>> PostgresRegistry::look() {
  const std::lock_guard lock(mutex_);
  if (auto connected = make_sure_of_connection(); !connected) return connected.error();
  auto reports = read();
  if (reports) {
    if (auto whole = check_life(); !whole) reports = whole.error();
  }
  if (!reports && connection_->is_lost()) connection_.reset();
  return reports;
}

Result<void> PostgresRegistry::make_sure_of_connection() {
  if (connection_) return {};
  const Error away(ErrorCode::unavailable, "the registry of replicas is not available", "the database is away");
  if (steady_clock::now() < back_off_.next()) return away;
  auto opened = Connection::open(url_, store::postgres::Server::primary);
  if (!opened) {
    back_off_.failed(steady_clock::now());
    return opened.error();
  }
  back_off_.succeeded();
  connection_ = std::move(*opened);
  whole_from_ = clock_.boot();
  return {};
}

// After each read, since an operator may empty the table under a connection that lives on.
Result<void> PostgresRegistry::check_life() {
  const auto rows = connection_->query(
      "SELECT whole_in = registry_life(), (SELECT max(max_staleness_ms) FROM replicas) FROM registry");
  if (!rows) return rows.error();
  if (rows->count() != 1) return Error(ErrorCode::unavailable, "the registry has no row");
  if ((*rows)[0].boolean(0)) {
    whole_from_.reset();
    return {};
  }
  const BootTime now = clock_.boot();
  if (!whole_from_) whole_from_ = now;
  const auto longest = std::max(max_staleness_, milliseconds((*rows)[0].integer(1)));
  if (now - *whole_from_ < longest + margin_of(longest)) {
    return Error(ErrorCode::unavailable, "who serves is not certain yet: the database has come back a moment ago");
  }
  return connection_->execute("UPDATE registry SET whole_in = registry_life()");
}

Result<std::vector<ReplicaReport>> PostgresRegistry::read() {
  const auto rows = connection_->query(
      "SELECT id, name, number, stopped, applied, applied_nonce, view_age_ms, max_staleness_ms, started_at, reported_at"
      " FROM replicas");
  if (!rows) return rows.error();
  std::vector<ReplicaReport> reports;
  for (int i = 0; i < rows->count(); ++i) {
    auto report = read_report((*rows)[i]);
    if (!report) return report.error();
    reports.push_back(std::move(*report));
  }
  return reports;
}

void PostgresRegistry::forget(const ReplicaReport& newest) {
  const std::lock_guard lock(mutex_);
  if (!connection_) return;
  const auto number = static_cast<std::int64_t>(newest.number);
  static_cast<void>(connection_->query("DELETE FROM replicas WHERE id = $1 AND number = $2",
                                       Parameters().add(newest.id.to_string()).add(number)));
}

}  // namespace latchkey::replica
