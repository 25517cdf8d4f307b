#include "replica/postgres/postgres_registry.hpp"

#include <algorithm>

#include "replica/report_row.hpp"
#include "replica/verdict.hpp"

namespace latchkey::replica {
namespace {

using std::chrono::milliseconds;
using store::postgres::Connection;
using store::postgres::Parameters;

// Of a few rows; other looks wait meanwhile.
constexpr std::chrono::seconds look_patience{5};
constexpr std::chrono::seconds connect_bound{10};

// What is written here may be lost: it says less then. So no look waits for a synchronous standby that is away.
Result<void> prepare(Connection& opened) {
  opened.set_deadline(Connection::Time::max());
  opened.set_patience(look_patience);
  return opened.execute("SET synchronous_commit = off");
}

}  // namespace

PostgresRegistry::PostgresRegistry(store::postgres::Url url, const Clock& clock, milliseconds max_staleness)
    : clock_(clock), max_staleness_(max_staleness), link_(std::move(url), store::postgres::Server::primary, prepare) {}

Result<std::vector<ReplicaReport>> PostgresRegistry::look() {
  const MutexLock lock(mutex_);
  const bool is_new = link_.current() == nullptr;
  const auto connection = link_.get(std::chrono::steady_clock::now() + connect_bound);
  if (!connection) return connection.error();
  if (is_new) whole_from_ = clock_.boot();
  auto reports = look_over(**connection);
  if (!reports) link_.drop_if_lost();
  return reports;
}

Result<std::vector<ReplicaReport>> PostgresRegistry::look_over(Connection& connection) {
  const auto rows = connection.query(select_reports);
  if (!rows) return rows.error();
  std::vector<ReplicaReport> reports;
  for (int i = 0; i < rows->count(); ++i) {
    auto report = read_report((*rows)[i], (*rows)[i].boolean(3));
    if (!report) return report.error();
    reports.push_back(std::move(*report));
  }
  if (auto whole = check_life(connection); !whole) return whole.error();
  return reports;
}

// After each read, since an operator may empty the table under a connection that lives on.
Result<void> PostgresRegistry::check_life(Connection& connection) {
  const auto rows =
      connection.query("SELECT whole_in = registry_life(), (SELECT max(max_staleness_ms) FROM replicas) FROM registry");
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
  return connection.execute("UPDATE registry SET whole_in = registry_life()");
}

Result<bool> PostgresRegistry::remove(const ReplicaReport& newest) {
  const MutexLock lock(mutex_);
  Connection* const connection = link_.current();
  if (connection == nullptr) return Error(ErrorCode::unavailable, "the registry of replicas is not available");
  const auto number = static_cast<std::int64_t>(newest.number);
  // The setting tells a trigger that nobody is lost by this. It is made before: the trigger fires for no row as well.
  if (auto begun = connection->execute("BEGIN; SET LOCAL latchkey.forget = 'on'"); !begun) return begun.error();
  const auto deleted = connection->query("DELETE FROM replicas WHERE id = $1 AND number = $2",
                                         Parameters().add(newest.id.to_string()).add(number));
  if (!deleted) {
    if (!connection->is_lost()) static_cast<void>(connection->execute("ROLLBACK"));
    return deleted.error();
  }
  if (auto committed = connection->execute("COMMIT"); !committed) return committed.error();
  return deleted->tag() != "DELETE 0";
}

}  // namespace latchkey::replica
