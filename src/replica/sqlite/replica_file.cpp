#include "replica/sqlite/replica_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/file_name.hpp"
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
    "CREATE TABLE IF NOT EXISTS origin ("
    " one INTEGER PRIMARY KEY CHECK (one = 1), file TEXT NOT NULL, boot TEXT NOT NULL, made_nanos INTEGER NOT NULL,"
    " first INTEGER NOT NULL, lock TEXT NOT NULL DEFAULT '');"
    "PRAGMA user_version = 2";

// The last to close a file takes away its -wal, by a name that may be another file's by then.
void leave_wal_at_close(Database& database) {
  sqlite3_db_config(database.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Result<void> check(Database& database) {
  auto statement = database.prepare("PRAGMA quick_check(1)");
  if (!statement) return statement.error();
  const int code = (*statement)->step();
  if (code != SQLITE_ROW) return database.error(code);
  if ((*statement)->text(0) == "ok") return {};
  return Error(ErrorCode::unavailable, "the file is damaged", std::string((*statement)->text(0)));
}

/// nullopt where the file does not say, as one made by an earlier version, or where what it says is of another file.
Result<std::optional<Origin>> read_origin(Database& database, const std::string& name) {
  const auto says = database.query_integer("SELECT count(*) FROM sqlite_schema WHERE name = 'origin'");
  if (!says) return says.error();
  if (*says == 0) return std::optional<Origin>();
  auto statement = database.prepare("SELECT file, boot, made_nanos, first FROM origin");
  if (!statement) return statement.error();
  const int code = (*statement)->step();
  if (code == SQLITE_DONE) return std::optional<Origin>();
  if (code != SQLITE_ROW) return database.error(code);
  if (name.empty() || (*statement)->text(0) != name) return std::optional<Origin>();
  return std::optional(
      Origin{std::string((*statement)->text(1)), {(*statement)->integer(2)}, (*statement)->integer(3) != 0});
}

Result<void> write_origin(Database& database, const std::string& name, const Origin& origin) {
  auto insert =
      database.prepare("INSERT OR IGNORE INTO origin (one, file, boot, made_nanos, first) VALUES (1,?,?,?,?)");
  if (!insert) return insert.error();
  (*insert)->bind(1, name).bind(2, origin.boot_id).bind(3, origin.made.nanos).bind(4, std::int64_t{origin.first});
  return database.run(**insert);
}

/// A file of release 0.1.0 goes on as one of this, and that release can read and write it all the same.
Result<void> add_what_was_left_out(Database& database) {
  const auto there = says_what_is_understood(database);
  if (!there) return there.error();
  if (*there) return {};
  return database.execute("ALTER TABLE replicas ADD COLUMN understands INTEGER NOT NULL DEFAULT 1");
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
  std::string name = file_name_of(path);
  auto origin = read_origin(database, name);
  if (!origin) return origin.error();
  const auto says = says_what_is_understood(database);
  if (!says) return says.error();
  return ReplicaFile{std::move(database), *identity, std::move(name), std::move(*origin), *says};
}

Result<ReplicaFile> open_and_prepare(const std::filesystem::path& path, const Origin& origin) {
  // Closed at once, before SQLite opens it: its locks are not there yet to be lost.
  if (auto made = open_regular(path, O_RDWR | O_CREAT); !made) return made.error();
  auto database = Database::open(path, Access::write, busy_timeout_ms);
  if (!database) return database.error();
  if (auto whole = check(*database); !whole) return whole.error();
  if (auto prepared = database->execute(prepare_sql); !prepared) return prepared.error();
  if (auto added = add_what_was_left_out(*database); !added) return added.error();
  if (auto written = write_origin(*database, file_name_of(path), origin); !written) return written.error();
  auto file = opened(path, std::move(*database));
  if (!file || file->origin || file->name.empty()) return file;
  return Error(ErrorCode::unavailable, "the file is a copy of another one");
}

}  // namespace

Result<bool> says_what_is_understood(Database& database) {
  const auto columns =
      database.query_integer("SELECT count(*) FROM pragma_table_info('replicas') WHERE name = 'understands'");
  if (!columns) return columns.error();
  return *columns != 0;
}

Result<void> make_report_file(const std::filesystem::path& path, const Origin& origin) {
  std::error_code none;
  if (const auto size = std::filesystem::file_size(path, none); !none && size > 0) return {};
  const auto made = open_and_prepare(path, origin);
  return made ? Result<void>() : made.error();
}

Result<ReplicaFile> open_for_reports(const std::filesystem::path& path, const Origin& origin) {
  auto file = open_and_prepare(path, origin);
  if (file) return file;
  for (std::size_t i = 0; i < 3; ++i) ::unlink(store::database_file(path, i).c_str());
  auto anew = open_and_prepare(path, origin);
  if (!anew) return anew;
  log_warning("replica: {} was made anew: {} {}", path.string(), file.error().detail, file.error().internal);
  return anew;
}

Result<bool> remove_report(const std::filesystem::path& path, const ReplicaReport& newest) {
  auto database = Database::open(path, Access::write, busy_timeout_ms);
  if (!database) return database.error();
  leave_wal_at_close(*database);
  auto statement = database->prepare("DELETE FROM replicas WHERE id = ? AND number = ?");
  if (!statement) return statement.error();
  const std::string id = newest.id.to_string();
  (*statement)->bind(1, id).bind(2, static_cast<std::int64_t>(newest.number));
  if (auto deleted = database->run(**statement); !deleted) return deleted.error();
  return sqlite3_changes64(database->handle()) == 1;
}

Result<ReplicaFile> open_for_looks(const std::filesystem::path& path) {
  if (!store::FileIdentity::of(path)) return Error(ErrorCode::not_found, "no replica has reported yet");
  auto database = Database::open(path, Access::read, busy_timeout_ms);
  if (!database) return database.error();
  leave_wal_at_close(*database);
  return opened(path, std::move(*database));
}

}  // namespace latchkey::replica
