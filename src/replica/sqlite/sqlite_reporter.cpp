#include "replica/sqlite/sqlite_reporter.hpp"

#include "replica/verdict.hpp"

namespace latchkey::replica {
namespace {

constexpr std::string_view upsert =
    "INSERT INTO replicas (id, name, number, stopped, applied, applied_nonce, view_age_ms, max_staleness_ms,"
    " started_at, reported_at, understands) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    " ON CONFLICT (id) DO UPDATE SET number = ?3, stopped = ?4, applied = ?5, applied_nonce = ?6, view_age_ms = ?7,"
    " reported_at = ?10, understands = ?11 WHERE replicas.number < ?3";

}  // namespace

Result<std::uint64_t> SqliteReporter::report(const ReplicaReport& report) {
  if (auto ready = make_sure_of_file(report.id); !ready) {
    file_.reset();
    return ready.error();
  }
  auto known = write(report);
  if (!known && known.error().code != ErrorCode::conflict) file_.reset();
  return known;
}

Result<void> SqliteReporter::make_sure_of_file(const ReplicaId& own) {
  if (file_ && file_->identity.still_at(config_.path)) {
    return retire_at_ && clock_.boot() >= *retire_at_ ? retire_others(own) : Result<void>();
  }
  file_.reset();
  auto opened = open_for_reports(config_.path, {config_.boot_id, clock_.boot(), false});
  if (!opened) return opened.error();
  file_.emplace(std::move(*opened));
  return config_.reporting == Reporting::one_replica ? decide_on_others(own) : shorten();
}

Result<void> SqliteReporter::decide_on_others(const ReplicaId& own) {
  auto others = file_->database.prepare(
      "SELECT lock = ?1, (SELECT max(max_staleness_ms) FROM replicas WHERE NOT stopped AND id <> ?2) FROM origin");
  if (!others) return others.error();
  const std::string id = own.to_string();
  (*others)->bind(1, config_.lock).bind(2, id);
  if (const int code = (*others)->step(); code != SQLITE_ROW) return file_->database.error(code);
  const bool same_lock = (*others)->integer(0) != 0;
  const auto longest = (*others)->optional_integer(1);
  (*others)->reset();
  retire_at_.reset();
  if (same_lock || !longest) return retire_others(own);
  const std::chrono::milliseconds fence(std::clamp<std::int64_t>(*longest, 0, std::int64_t{1} << 42));
  retire_at_ = clock_.boot() + (fence + margin_of(fence));
  return {};
}

// A few of those that have ended are still shown.
Result<void> SqliteReporter::retire_others(const ReplicaId& own) {
  auto& database = file_->database;
  auto retire = database.prepare("UPDATE replicas SET stopped = 1 WHERE id <> ?");
  if (!retire) return retire.error();
  const std::string id = own.to_string();
  (*retire)->bind(1, id);
  if (auto retired = database.run(**retire); !retired) return retired;
  auto under = database.prepare("UPDATE origin SET lock = ?");
  if (!under) return under.error();
  (*under)->bind(1, config_.lock);
  if (auto said = database.run(**under); !said) return said;
  retire_at_.reset();
  return database.execute(
      "DELETE FROM replicas WHERE stopped AND id NOT IN"
      " (SELECT id FROM replicas WHERE stopped ORDER BY reported_at DESC LIMIT 15)");
}

// A replica that is left out by mistake comes back with its next report.
Result<void> SqliteReporter::shorten() {
  return file_->database.execute(
      "DELETE FROM replicas WHERE id NOT IN (SELECT id FROM replicas ORDER BY reported_at DESC LIMIT 1000)");
}

Result<std::uint64_t> SqliteReporter::write(const ReplicaReport& report) {
  auto statement = file_->database.prepare(upsert);
  if (!statement) return statement.error();
  const std::string id = report.id.to_string();
  const std::string applied = report.applied ? report.applied->to_string() : "";
  (*statement)->bind(1, id).bind(2, report.name);
  (*statement)->bind(3, static_cast<std::int64_t>(report.number)).bind(4, std::int64_t{report.phase == Phase::stopped});
  if (report.applied) (*statement)->bind(5, applied);
  (*statement)->bind(6, static_cast<std::int64_t>(report.applied_nonce.value));
  (*statement)->bind(7, report.view_age.count()).bind(8, report.max_staleness.count());
  (*statement)->bind(9, report.started_at.count).bind(10, report.reported_at.count);
  (*statement)->bind(11, std::int64_t{report.understands});
  if (auto ran = file_->database.run(**statement); !ran) {
    return Error(ErrorCode::unavailable, ran.error().detail, ran.error().internal);
  }
  if (sqlite3_changes64(file_->database.handle()) == 1) return report.number;
  if (config_.reporting == Reporting::one_replica) return another_reports(report);
  return number_of(id);
}

Result<std::uint64_t> SqliteReporter::number_of(const std::string& id) {
  auto statement = file_->database.prepare("SELECT number FROM replicas WHERE id = ?");
  if (!statement) return statement.error();
  (*statement)->bind(1, id);
  if (const int code = (*statement)->step(); code != SQLITE_ROW) return file_->database.error(code);
  return static_cast<std::uint64_t>((*statement)->integer(0));
}

}  // namespace latchkey::replica
