#include "replica/sqlite/sqlite_reporter.hpp"

namespace latchkey::replica {
namespace {

constexpr std::string_view upsert =
    "INSERT INTO replicas (id, name, number, stopped, applied, applied_nonce, view_age_ms, max_staleness_ms,"
    " started_at, reported_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    " ON CONFLICT (id) DO UPDATE SET number = ?3, stopped = ?4, applied = ?5, applied_nonce = ?6, view_age_ms = ?7,"
    " reported_at = ?10 WHERE replicas.number <= ?3";

}  // namespace

Result<std::uint64_t> SqliteReporter::report(const ReplicaReport& report) {
  auto written = make_sure_of_file(report.id);
  if (written) written = write(report);
  if (written) return report.number;
  file_.reset();
  return written.error();
}

Result<void> SqliteReporter::make_sure_of_file(const ReplicaId& own) {
  if (file_ && file_->identity.still_at(path_)) return {};
  file_.reset();
  auto opened = open_for_reports(path_);
  if (!opened) return opened.error();
  file_.emplace(std::move(*opened));
  return whose_ == Reporting::one_replica ? retire_others(own) : shorten();
}

// A few of those that have ended are still shown.
Result<void> SqliteReporter::retire_others(const ReplicaId& own) {
  auto& database = file_->database;
  auto retire = database.prepare("UPDATE replicas SET stopped = 1 WHERE id <> ?");
  if (!retire) return retire.error();
  const std::string id = own.to_string();
  (*retire)->bind(1, id);
  if (auto retired = database.run(**retire); !retired) return retired;
  return database.execute(
      "DELETE FROM replicas WHERE stopped AND id NOT IN"
      " (SELECT id FROM replicas WHERE stopped ORDER BY reported_at DESC LIMIT 15)");
}

// A replica that is left out by mistake comes back with its next report.
Result<void> SqliteReporter::shorten() {
  return file_->database.execute(
      "DELETE FROM replicas WHERE id NOT IN (SELECT id FROM replicas ORDER BY reported_at DESC LIMIT 1000)");
}

Result<void> SqliteReporter::write(const ReplicaReport& report) {
  auto statement = file_->database.prepare(upsert);
  if (!statement) return statement.error();
  const std::string id = report.id.to_string();
  const std::string applied = report.applied ? report.applied->to_string() : "";
  (*statement)->bind(1, id).bind(2, report.name);
  (*statement)->bind(3, static_cast<std::int64_t>(report.number)).bind(4, std::int64_t{report.phase == Phase::stopped});
  if (report.applied) (*statement)->bind(5, applied);
  (*statement)->bind(6, static_cast<std::int64_t>(report.applied_nonce));
  (*statement)->bind(7, report.view_age.count()).bind(8, report.max_staleness.count());
  (*statement)->bind(9, report.started_at.count).bind(10, report.reported_at.count);
  return file_->database.run(**statement);
}

}  // namespace latchkey::replica
