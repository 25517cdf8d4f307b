#include "store/sqlite/database.hpp"

#include <fmt/format.h>

#include "base/regular_file.hpp"

namespace latchkey::store {

Statement& Statement::bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  // A null pointer would bind NULL; an empty text is not that.
  const char* data = text.empty() ? "" : text.data();
  sqlite3_bind_text64(statement_.get(), parameter, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(int parameter, const std::optional<std::int64_t>& value) {
  if (value) return bind(parameter, *value);
  sqlite3_bind_null(statement_.get(), parameter);
  return *this;
}

Statement& Statement::bind_or_null(int parameter, const std::optional<std::string>& text) {
  if (text) return bind(parameter, std::string_view(*text));
  sqlite3_bind_null(statement_.get(), parameter);
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view bytes) {
  const char* data = bytes.empty() ? "" : bytes.data();
  sqlite3_bind_blob64(statement_.get(), parameter, data, bytes.size(), SQLITE_STATIC);
  return *this;
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

std::string_view Statement::text(int column) const {
  const auto* bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::string_view Statement::blob(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

namespace {

/// A link to a database on another disk is an operator's choice, which SQLite follows, and -wal and -shm stay there.
Result<void> check_files(const std::filesystem::path& database) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    const auto usable = check_regular(database.string() + suffix, *suffix == '\0' ? Links::follow : Links::refuse);
    if (!usable) return Error(ErrorCode::unavailable, "the database cannot be opened", usable.error().detail);
  }
  return {};
}

}  // namespace

Result<Database> Database::open(const std::filesystem::path& path, Access access, int busy_timeout_ms) {
  if (const auto usable = check_files(path); !usable) return usable.error();
  sqlite3* raw = nullptr;
  // Readers ask for write access too: without it they could not make the -shm and -wal files of a database after its
  // writer is gone, nor recover one that was killed. query_only below keeps them from changing anything.
  const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (code != SQLITE_OK) return database.error(code);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, busy_timeout_ms);
  const char* settings =
      access == Access::read
          ? "PRAGMA query_only=ON; PRAGMA cache_size=-4000"
          : "PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;"
            "PRAGMA recursive_triggers=ON; PRAGMA secure_delete=ON; PRAGMA journal_size_limit=67108864";
  if (auto set = database.execute(settings); !set) return set.error();
  return database;
}

Result<void> Database::execute(const char* sql) {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code);
  return {};
}

Result<Borrowed> Database::prepare(std::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return Borrowed(found->second);
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return error(code);
  return Borrowed(statements_.emplace(std::string(sql), Statement(raw)).first->second);
}

Result<void> Database::run(Statement& statement) {
  const int code = statement.step();
  if (code != SQLITE_DONE) return error(code);
  return {};
}

Result<std::int64_t> Database::query_integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return statement.error();
  const int code = (*statement)->step();
  if (code != SQLITE_ROW) return error(code);
  return (*statement)->integer(0);
}

Error Database::error(int code) const {
  const char* words = connection_ ? sqlite3_errmsg(connection_.get()) : sqlite3_errstr(code);
  std::string internal = fmt::format("SQLite error {}: {}", code, words);
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
      return Error(ErrorCode::conflict, "the database refused the row", std::move(internal));
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_INTERNAL:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
      return Error(ErrorCode::internal, "the database failed", std::move(internal));
    default:  // busy, full, I/O error, no memory, cannot open, corrupt, …
      return Error(ErrorCode::unavailable, "the database is not available", std::move(internal));
  }
}

}  // namespace latchkey::store
