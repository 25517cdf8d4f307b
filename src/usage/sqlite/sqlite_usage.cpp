#include "usage/sqlite/sqlite_usage.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/log.hpp"
#include "base/regular_file.hpp"

namespace latchkey::usage {
namespace {

using store::Access;
using store::Database;

constexpr int busy_timeout_ms = 2000;
constexpr std::chrono::seconds longest_question{10};
constexpr std::int64_t sqlite_usage_version = 1;

constexpr const char* sqlite_tables = R"sql(
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS usage_keys (
  id INTEGER PRIMARY KEY, key_id TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, last_used_at INTEGER, last_address TEXT);
CREATE INDEX IF NOT EXISTS usage_keys_by_user ON usage_keys (user_id);
CREATE TABLE IF NOT EXISTS usage_names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS usage_minutes (key INTEGER, time INTEGER, plan INTEGER, outcome INTEGER,
  count INTEGER NOT NULL, cost INTEGER NOT NULL, PRIMARY KEY (key, time, plan, outcome)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS usage_hours (key INTEGER, time INTEGER, plan INTEGER, outcome INTEGER,
  count INTEGER NOT NULL, cost INTEGER NOT NULL, PRIMARY KEY (key, time, plan, outcome)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS usage_days (key INTEGER, time INTEGER, plan INTEGER, outcome INTEGER,
  count INTEGER NOT NULL, cost INTEGER NOT NULL, PRIMARY KEY (key, time, plan, outcome)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS usage_minutes_by_time ON usage_minutes (time);
CREATE INDEX IF NOT EXISTS usage_hours_by_time ON usage_hours (time);
CREATE INDEX IF NOT EXISTS usage_days_by_time ON usage_days (time);
CREATE TABLE IF NOT EXISTS usage_writers (
  writer TEXT PRIMARY KEY, seq INTEGER NOT NULL, covered_until INTEGER NOT NULL, state INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS usage_kept (resolution INTEGER PRIMARY KEY, since INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS usage_refusals (
  id TEXT PRIMARY KEY, at INTEGER NOT NULL, key_id TEXT NOT NULL, reason TEXT NOT NULL, limits TEXT NOT NULL,
  rule TEXT NOT NULL, position TEXT NOT NULL, network TEXT NOT NULL, sampled INTEGER NOT NULL, writer TEXT NOT NULL)
  WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS usage_refusals_by_writer ON usage_refusals (writer, at);
CREATE INDEX IF NOT EXISTS usage_refusals_by_time ON usage_refusals (at);
PRAGMA user_version = 1;
COMMIT;
)sql";

/// SQLite numbers $1, $2 as they appear, and ?1, ?2 as they say.
std::string numbered(std::string_view sql) {
  std::string text(sql);
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '$' && text[i + 1] >= '1' && text[i + 1] <= '9') text[i] = '?';
  }
  return text;
}

bool is_damage(const Error& error) {
  return error.internal.starts_with("SQLite error 11:") || error.internal.starts_with("SQLite error 26:");
}

}  // namespace

Result<void> SqliteUsage::ready() {
  if (database_ && identity_.still_at(path_)) return {};
  database_.reset();
  auto opened = open();
  if (!opened && access_ == Access::write && is_damage(opened.error())) {
    put_aside();
    opened = open();
  }
  return opened;
}

void SqliteUsage::put_aside() const {
  log_warning("usage: {} is damaged: it is put aside as {}-damaged, and another one is begun", path_.string(),
              path_.string());
  std::error_code ignored;
  std::filesystem::rename(path_, path_.string() + "-damaged", ignored);
  for (std::size_t i = 1; i < 3; ++i) std::filesystem::remove(store::database_file(path_, i), ignored);
}

Result<void> SqliteUsage::open() {
  if (access_ == Access::write) {
    // Closed at once, before SQLite opens it: its locks are not there yet to be lost.
    if (auto made = open_regular(path_, O_RDWR | O_CREAT); !made) return made.error();
  } else if (!store::FileIdentity::of(path_)) {
    return Error(ErrorCode::not_found, "no usage was written yet");
  }
  auto database = Database::open(path_, access_, busy_timeout_ms);
  if (!database) return database.error();
  if (auto prepared = prepare(*database); !prepared) return prepared;
  if (access_ == Access::read) bound_questions(*database);
  const auto identity = store::FileIdentity::of(path_);
  if (!identity) return Error(ErrorCode::unavailable, "the file of usage is gone", path_.string());
  database_.emplace(std::move(*database));
  identity_ = *identity;
  return {};
}

Result<void> SqliteUsage::prepare(Database& database) const {
  if (access_ == Access::write) {
    for (const char* sql : {"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", sqlite_tables}) {
      if (auto done = database.execute(sql); !done) return done;
    }
  } else {
    sqlite3_db_config(database.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  const auto version = database.query_integer("PRAGMA user_version");
  if (!version) return version.error();
  if (*version == 0) return Error(ErrorCode::not_found, "no usage was written yet");
  if (*version == sqlite_usage_version) return {};
  return Error(ErrorCode::unavailable, "the file of usage is another release's", path_.string());
}

// As PostgreSQL's statement_timeout does.
void SqliteUsage::bound_questions(Database& database) {
  const auto is_over = [](void* self) {
    return int{std::chrono::steady_clock::now() > static_cast<const SqliteUsage*>(self)->give_up_at_};
  };
  give_up_at_ = std::chrono::steady_clock::now() + longest_question;
  sqlite3_progress_handler(database.handle(), 10'000, is_over, this);
}

Result<void> SqliteUsage::begin() { return database_->execute("BEGIN IMMEDIATE"); }
Result<void> SqliteUsage::commit() { return database_->execute("COMMIT"); }
void SqliteUsage::give_up() { database_.reset(); }

Result<std::vector<Record>> SqliteUsage::query(std::string_view sql, std::span<const Parameter> parameters) {
  give_up_at_ = std::chrono::steady_clock::now() + longest_question;
  auto statement = database_->prepare(numbered(sql));
  if (!statement) return statement.error();
  int number = 0;
  for (const auto& parameter : parameters) {
    ++number;
    if (const auto* text = std::get_if<std::string>(&parameter)) {
      (*statement)->bind(number, std::string_view(*text));
    } else {
      (*statement)->bind(number, std::get<std::int64_t>(parameter));
    }
  }
  std::vector<Record> records;
  int code = (*statement)->step();
  for (; code == SQLITE_ROW; code = (*statement)->step()) {
    Record record;
    for (int column = 0; column < (*statement)->columns(); ++column) {
      record.push_back((*statement)->is_null(column) ? Field() : Field((*statement)->text(column)));
    }
    records.push_back(std::move(record));
  }
  if (code != SQLITE_DONE) return database_->error(code);
  return records;
}

std::string SqliteUsage::json_rows(std::string_view columns) const {
  std::string list;
  while (!columns.empty()) {
    const std::string_view name = columns.substr(0, columns.find(' '));
    list += fmt::format("{}value ->> '{}' AS {}", list.empty() ? "" : ", ", name, name);
    const auto comma = columns.find(", ");
    columns.remove_prefix(comma == std::string_view::npos ? columns.size() : comma + 2);
  }
  return fmt::format("(SELECT {} FROM json_each($1))", list);
}

Result<std::int64_t> SqliteUsage::bytes() {
  const auto used = query(
      "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, "
      "pragma_freelist_count, pragma_page_size");
  if (!used) return used.error();
  return integer_of(used->front()[0]);
}

}  // namespace latchkey::usage
