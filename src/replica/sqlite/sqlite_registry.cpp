#include "replica/sqlite/sqlite_registry.hpp"

#include <algorithm>

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
  report.applied_nonce = static_cast<std::uint64_t>(row.integer(5));
  report.view_age = std::chrono::milliseconds(row.integer(6));
  report.max_staleness = std::chrono::milliseconds(row.integer(7));
  report.started_at = {row.integer(8)};
  report.reported_at = {row.integer(9)};
  return report;
}

}  // namespace

Result<std::vector<ReplicaReport>> SqliteRegistry::look() {
  const std::lock_guard lock(mutex_);
  auto reports = read_file();
  if (!reports) return reports;
  const auto runs = [](const ReplicaReport& report) { return report.phase == Phase::running; };
  // Asked after the read: who takes the lock later reports later.
  if (std::none_of(reports->begin(), reports->end(), runs) && a_replica_runs_()) {
    return Error(ErrorCode::unavailable, "a replica runs that has not reported yet", path_.string());
  }
  return reports;
}

Result<std::vector<ReplicaReport>> SqliteRegistry::read_file() {
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
      "SELECT id, name, number, stopped, applied, applied_nonce, view_age_ms, max_staleness_ms, started_at,"
      " reported_at FROM replicas");
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
