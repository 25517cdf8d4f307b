#include "replica/postgres/postgres_registry.hpp"

#include <algorithm>

#include "replica/report_row.hpp"
#include "replica/verdict.hpp"

namespace latchkey::replica {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using store::postgres::Connection;
using store::postgres::Parameters;

// Of a few rows; other looks wait meanwhile.
constexpr std::chrono::seconds look_patience{5};
constexpr std::chrono::seconds connect_bound{10};

}  // namespace

Result<std::vector<ReplicaReport>> PostgresRegistry::look() {
  const MutexLock lock(mutex_);
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
  auto opened = Connection::open(url_, store::postgres::Server::primary, steady_clock::now() + connect_bound);
  if (opened) {
    (*opened)->set_deadline(Connection::Time::max());
    (*opened)->set_patience(look_patience);
    // What is written here may be lost: it says less then. So no look waits for a synchronous standby that is away.
    if (auto relaxed = (*opened)->execute("SET synchronous_commit = off"); !relaxed) opened = relaxed.error();
  }
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
    return Error(ErrorCode::unavailable,
                 "which replicas serve is not certain yet: the database has come back a moment ago");
  }
  return connection_->execute("UPDATE registry SET whole_in = registry_life()");
}

Result<std::vector<ReplicaReport>> PostgresRegistry::read() {
  const auto rows = connection_->query(select_reports);
  if (!rows) return rows.error();
  std::vector<ReplicaReport> reports;
  for (int i = 0; i < rows->count(); ++i) {
    auto report = read_report((*rows)[i], (*rows)[i].boolean(3));
    if (!report) return report.error();
    reports.push_back(std::move(*report));
  }
  return reports;
}

Result<bool> PostgresRegistry::remove(const ReplicaReport& newest) {
  const MutexLock lock(mutex_);
  if (!connection_) return Error(ErrorCode::unavailable, "the registry of replicas is not available");
  const auto number = static_cast<std::int64_t>(newest.number);
  // The setting tells a trigger that nobody is lost by this. It is made before: the trigger fires for no row as well.
  if (auto begun = connection_->execute("BEGIN; SET LOCAL latchkey.forget = 'on'"); !begun) return begun.error();
  const auto deleted = connection_->query("DELETE FROM replicas WHERE id = $1 AND number = $2",
                                          Parameters().add(newest.id.to_string()).add(number));
  if (!deleted) {
    if (!connection_->is_lost()) static_cast<void>(connection_->execute("ROLLBACK"));
    return deleted.error();
  }
  if (auto committed = connection_->execute("COMMIT"); !committed) return committed.error();
  return deleted->tag() != "DELETE 0";
}

}  // namespace latchkey::replica
