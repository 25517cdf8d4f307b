#include "replica/sqlite/sqlite_registry.hpp"

namespace latchkey::replica {
namespace {

Result<ReplicaReport> read_report(const store::Statement& row) {
  ReplicaReport report;
  const auto id = ReplicaId::parse(row.text(0));
  const auto applied = row.is_null(4) ? std::nullopt : Position::parse(row.text(4));
  if (!id || (!row.is_null(4) && !applied)) return Error(ErrorCode::unavailable, "a report that is none");
  report.id = *id;
  report.name = row.text(1);
  report.number = static_cast<std::uint64_t>(row.integer(2));
  report.phase = row.integer(3) != 0 ? Phase::stopped : Phase::running;
  report.applied = applied;
  report.view_age = std::chrono::milliseconds(row.integer(5));
  report.max_staleness = std::chrono::milliseconds(row.integer(6));
  report.started_at = {row.integer(7)};
  report.reported_at = {row.integer(8)};
  return report;
}

}  // namespace

Result<std::vector<ReplicaReport>> SqliteRegistry::look() {
  const std::lock_guard lock(mutex_);
  if (file_ && !file_->identity.still_at(path_)) file_.reset();
  if (!file_) {
    auto opened = open_for_looks(path_);
    if (!opened && opened.error().code == ErrorCode::not_found) return std::vector<ReplicaReport>();
    if (!opened) return opened.error();
    file_.emplace(std::move(*opened));
  }
  auto reports = read();
  if (!reports) file_.reset();
  return reports;
}

Result<std::vector<ReplicaReport>> SqliteRegistry::read() {
  auto statement = file_->database.prepare(
      "SELECT id, name, number, stopped, applied, view_age_ms, max_staleness_ms, started_at, reported_at FROM "
      "replicas");
  if (!statement) return statement.error();
  std::vector<ReplicaReport> reports;
  int code = (*statement)->step();
  for (; code == SQLITE_ROW; code = (*statement)->step()) {
    auto report = read_report(**statement);
    if (!report) return report.error();
    reports.push_back(std::move(*report));
  }
  if (code != SQLITE_DONE) return file_->database.error(code);
  return reports;
}

}  // namespace latchkey::replica
