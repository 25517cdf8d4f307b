#include "replica/sqlite/replica_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.hpp"
#include "base/regular_file.hpp"

namespace latchkey::replica {
namespace {

using store::Access;
using store::Database;

constexpr int busy_timeout_ms = 200;  // only recovery after a crash makes anyone wait
constexpr std::int64_t schema_version = 2;

// The WAL is written back every few reports: it stays where it is on the disk, so that a full one stops no report.
constexpr const char* prepare_sql =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 8;"
    "CREATE TABLE IF NOT EXISTS replicas ("
    " id TEXT PRIMARY KEY, name TEXT NOT NULL, number INTEGER NOT NULL, stopped INTEGER NOT NULL,"
    " applied TEXT, applied_nonce INTEGER NOT NULL, view_age_ms INTEGER NOT NULL, max_staleness_ms INTEGER NOT NULL,"
    " started_at INTEGER NOT NULL, reported_at INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 2";

Result<void> check(Database& database) {
  auto statement = database.prepare("PRAGMA quick_check(1)");
  if (!statement) return statement.error();
  const int code = (*statement)->step();
  if (code != SQLITE_ROW) return database.error(code);
  if ((*statement)->text(0) == "ok") return {};
  return Error(ErrorCode::unavailable, "the file is damaged", std::string((*statement)->text(0)));
}

Result<ReplicaFile> opened(const std::filesystem::path& path, Database database) {
  // The first read makes SQLite open -wal and -shm.
  const auto version = database.query_integer("PRAGMA user_version");
  if (!version) return version.error();
  const auto identity = store::FileIdentity::of(path);
  if (*version == 0) return Error(ErrorCode::not_found, "no replica has reported yet");
  if (*version != schema_version || !identity) {
    return Error(ErrorCode::unavailable, "the file of the replicas is not ours", path.string());
  }
  return ReplicaFile{std::move(database), *identity};
}

Result<ReplicaFile> open_and_prepare(const std::filesystem::path& path) {
  // Closed at once, before SQLite opens it: its locks are not there yet to be lost.
  if (auto made = open_regular(path, O_RDWR | O_CREAT); !made) return made.error();
  auto database = Database::open(path, Access::write, busy_timeout_ms);
  if (!database) return database.error();
  if (auto whole = check(*database); !whole) return whole.error();
  if (auto prepared = database->execute(prepare_sql); !prepared) return prepared.error();
  return opened(path, std::move(*database));
}

}  // namespace

Result<ReplicaFile> open_for_reports(const std::filesystem::path& path) {
  auto file = open_and_prepare(path);
  if (file) return file;
  for (std::size_t i = 0; i < 3; ++i) ::unlink(store::database_file(path, i).c_str());
  auto anew = open_and_prepare(path);
  if (!anew) return anew;
  log_warning("replica: {} was made anew: {} {}", path.string(), file.error().detail, file.error().internal);
  return anew;
}

Result<ReplicaFile> open_for_looks(const std::filesystem::path& path) {
  if (!store::FileIdentity::of(path)) return Error(ErrorCode::not_found, "no replica has reported yet");
  auto database = Database::open(path, Access::read, busy_timeout_ms);
  if (!database) return database.error();
  // The last to close a file takes away its -wal, by a name that may be another file's by then.
  sqlite3_db_config(database->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return opened(path, std::move(*database));
}

}  // namespace latchkey::replica
