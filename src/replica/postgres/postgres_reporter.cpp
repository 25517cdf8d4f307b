#include "replica/postgres/postgres_reporter.hpp"

namespace latchkey::replica {
namespace {

using store::postgres::Connection;
using store::postgres::Parameters;

// Parameters that the first statement does not need are there to give both the same list.
constexpr std::string_view update =
    "UPDATE replicas SET number = $3, stopped = $4, applied = nullif($5, ''), applied_nonce = $6, view_age_ms = $7,"
    " reported_at = $10, understands = $11 WHERE id = $1 AND number < $3 AND $2::text IS NOT NULL AND $8::bigint IS "
    "NOT NULL"
    " AND $9::bigint IS NOT NULL AND (SELECT home FROM meta) = $12";
constexpr std::string_view insert =
    "INSERT INTO replicas (id, name, number, stopped, applied, applied_nonce, view_age_ms, max_staleness_ms, "
    "started_at,"
    " reported_at, understands) VALUES ($1, $2, $3, $4, nullif($5, ''), $6, $7, $8, $9, $10, $11)"
    " ON CONFLICT (id) DO UPDATE SET number = $3, stopped = $4, applied = nullif($5, ''), applied_nonce = $6,"
    " view_age_ms = $7, reported_at = $10, understands = $11 WHERE replicas.number < $3";

Parameters values_of(const ReplicaReport& report) {
  Parameters values;
  values.add(report.id.to_string()).add(report.name).add(static_cast<std::int64_t>(report.number));
  values.add_flag(report.phase == Phase::stopped);
  values.add(report.applied ? report.applied->to_string() : std::string());
  values.add(static_cast<std::int64_t>(report.applied_nonce.value));
  values.add(std::int64_t{report.view_age.count()}).add(std::int64_t{report.max_staleness.count()});
  values.add(report.started_at.count).add(report.reported_at.count).add(std::int64_t{report.understands});
  return values;
}

Result<bool> enter(Connection& connection, const Parameters& values) {
  if (auto begun = connection.execute("BEGIN; SET LOCAL synchronous_commit = local"); !begun) return begun.error();
  const auto inserted = connection.query(insert, values);
  if (!inserted) {
    if (!connection.is_lost()) static_cast<void>(connection.execute("ROLLBACK"));
    return inserted.error();
  }
  if (auto committed = connection.execute("COMMIT"); !committed) return committed.error();
  return inserted->tag() != "INSERT 0 0";
}

Result<std::uint64_t> number_of(Connection& connection, const ReplicaId& id) {
  const auto rows = connection.query("SELECT number FROM replicas WHERE id = $1", Parameters().add(id.to_string()));
  if (!rows) return rows.error();
  return rows->count() == 1 ? static_cast<std::uint64_t>((*rows)[0].integer(0)) : 0;
}

}  // namespace

PostgresReporter::PostgresReporter(store::postgres::Url url, Scope scope)
    : scope_(scope),
      link_(std::move(url), store::postgres::Server::primary, [this](Connection& opened) { return prepare(opened); }) {}

Result<std::uint64_t> PostgresReporter::report(const ReplicaReport& report) {
  const auto connection = link_.get();
  if (!connection) return connection.error();
  const auto written = write(**connection, report);
  const bool one = scope_ == Scope::one_replica;
  if (!written) {
    link_.drop_if_lost();
    // What the table refuses for a reason of its own is no other replica's doing.
    const Error& error = written.error();
    return one ? Error(ErrorCode::unavailable, error.detail, error.internal) : error;
  }
  if (*written) return report.number;
  if (one) return another_reports(report);
  return number_of(**connection, report.id);
}

Result<void> PostgresReporter::prepare(Connection& opened) {
  if (auto relaxed = opened.execute("SET synchronous_commit = off"); !relaxed) return relaxed;
  const auto home = opened.query("SELECT home()");  // the same for the connection's life
  if (!home) return home.error();
  home_ = (*home)[0].text(0);
  return {};
}

/// Whether it was: not where there is a newer one already, or this very one.
Result<bool> PostgresReporter::write(Connection& connection, const ReplicaReport& report) const {
  const Parameters values = values_of(report);
  const auto updated = connection.query(update, Parameters(values).add(home_));
  if (!updated) return updated.error();
  if (updated->tag() != "UPDATE 0") return true;
  if (auto home = check_home(connection); !home) return home.error();
  return enter(connection, values);
}

/// In a copy that no management service commits to, no report is looked at by a service that confirms.
Result<void> PostgresReporter::check_home(Connection& connection) const {
  const auto rows = connection.query("SELECT home FROM meta");
  if (!rows) return rows.error();
  if (rows->count() == 1 && (*rows)[0].text(0) == home_) return {};
  return Error(ErrorCode::unavailable, "the database is a copy that no management service commits to",
               "nobody looks at its table \"replicas\": start a management service on it, or point LATCHKEY_STORE to "
               "the database that one uses");
}

}  // namespace latchkey::replica
