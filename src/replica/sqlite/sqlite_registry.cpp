#include "replica/sqlite/sqlite_registry.hpp"

#include <algorithm>

#include "replica/report_row.hpp"
#include "replica/verdict.hpp"

namespace latchkey::replica {
Result<std::vector<ReplicaReport>> SqliteRegistry::look() {
  const MutexLock lock(mutex_);
  auto reports = read_file();
  if (!reports) return reports;
  if (auto whole = check_whole(*reports); !whole) return whole.error();
  const auto runs = [](const ReplicaReport& report) { return report.phase == Phase::running; };
  // Asked after the read: a replica that takes the lock later reports later.
  if (std::none_of(reports->begin(), reports->end(), runs) && config_.a_replica_runs()) {
    return Error(ErrorCode::unavailable, "a replica runs that has not reported yet", config_.path.string());
  }
  return reports;
}

Result<std::vector<ReplicaReport>> SqliteRegistry::read_file() {
  if (file_ && !file_->identity.still_at(config_.path)) file_.reset();
  if (!file_) {
    auto opened = open_file();
    if (!opened) return opened.error();
    if (!*opened) return std::vector<ReplicaReport>();
  }
  auto reports = read();
  if (!reports) file_.reset();
  return reports;
}

/// Whether there is one. A file that is gone is made anew: between two looks at nothing one more may come and go.
Result<bool> SqliteRegistry::open_file() {
  const auto missing = [](const auto& opened) { return !opened && opened.error().code == ErrorCode::not_found; };
  auto opened = open_for_looks(config_.path);
  // A replica makes the file before it shows in anything else: so this order, and a second try.
  const bool there_was_one = missing(opened) && (!name_.empty() || config_.a_replica_ran());
  if (there_was_one) {
    const auto made = make_report_file(config_.path, {config_.boot_id, clock_.boot(), false});
    if (!made) return made.error();
    opened = open_for_looks(config_.path);
  }
  if (missing(opened) && !there_was_one) return false;
  if (!opened) return Error(ErrorCode::unavailable, opened.error().detail, opened.error().internal);
  file_.emplace(std::move(*opened));
  notice(*file_);
  return true;
}

/// When somebody can have been lost last, by what the file says.
std::optional<BootTime> SqliteRegistry::doubt_of(const ReplicaFile& file) const {
  if (!file.origin) return clock_.boot();
  const bool everyone_is_in = file.origin->first || file.origin->boot_id != config_.boot_id;
  return everyone_is_in ? std::nullopt : std::optional(file.origin->made);
}

/// Where another stood there before, replicas that were in that one only are missing.
void SqliteRegistry::notice(const ReplicaFile& file) {
  if (file.name == name_ && !name_.empty()) return;
  lost_by_ = name_.empty() ? doubt_of(file) : clock_.boot();
  name_ = file.name;
}

Result<void> SqliteRegistry::check_whole(const std::vector<ReplicaReport>& reports) const {
  if (!lost_by_) return {};
  auto longest = config_.max_staleness;
  for (const auto& report : reports) longest = std::max(longest, report.max_staleness);
  if (clock_.boot() - *lost_by_ >= longest + margin_of(longest)) return {};
  return Error(ErrorCode::unavailable,
               "it is not certain yet which replicas serve: the file of the replicas was lost or replaced",
               config_.path.string());
}

Result<bool> SqliteRegistry::remove(const ReplicaReport& newest) {
  const MutexLock lock(mutex_);
  if (!file_ || !file_->identity.still_at(config_.path)) return false;
  auto removed = remove_report(config_.path, newest);
  if (!removed) return Error(ErrorCode::unavailable, removed.error().detail, removed.error().internal);
  return removed;
}

Result<std::vector<ReplicaReport>> SqliteRegistry::read() {
  if (!file_->says_what_is_understood) {  // the replica was upgraded meanwhile, and has added the column
    const auto says = says_what_is_understood(file_->database);
    if (!says) return says.error();
    file_->says_what_is_understood = *says;
  }
  auto statement =
      file_->database.prepare(file_->says_what_is_understood ? select_reports : select_reports_of_schema_1);
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
