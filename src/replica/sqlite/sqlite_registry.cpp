#include "replica/sqlite/sqlite_registry.hpp"

#include <algorithm>

#include "replica/report_row.hpp"

namespace latchkey::replica {
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
  auto statement = file_->database.prepare(select_reports);
  if (!statement) return statement.error();
  std::vector<ReplicaReport> reports;
  int code = (*statement)->step();
  for (; code == SQLITE_ROW; code = (*statement)->step()) {
    auto report = read_report(**statement, (*statement)->integer(3) != 0);
    if (!report) return report.error();
    reports.push_back(std::move(*report));
  }
  if (code != SQLITE_DONE) return file_->database.error(code);
  return reports;
}

}  // namespace latchkey::replica
