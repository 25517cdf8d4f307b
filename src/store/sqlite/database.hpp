#pragma once

// SQLite's C API as far as the engines need it: connections, cached statements, and its errors as ours.

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace latchkey::store {

/// One prepared statement. Text handed to bind() must live until reset(). Columns count from 0, parameters from 1.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, const std::optional<std::int64_t>& value);
  Statement& bind_or_null(int parameter, const std::optional<std::string>& text);
  Statement& bind_blob(int parameter, std::string_view bytes);

  /// SQLITE_ROW, SQLITE_DONE or an error code.
  int step() { return sqlite3_step(statement_.get()); }
  void reset();

  int columns() const { return sqlite3_column_count(statement_.get()); }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::optional<std::int64_t> optional_integer(int column) const;
  bool is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  /// Valid until the next step() or reset().
  std::string_view text(int column) const;
  std::string_view blob(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// Lends a statement out of a connection's cache and resets it at the end of its scope: a statement left standing
/// would hold its read transaction open and keep the WAL from being reused.
class Borrowed {
 public:
  explicit Borrowed(Statement& statement) : statement_(&statement) {}
  Borrowed(Borrowed&& other) noexcept : statement_(other.statement_) { other.statement_ = nullptr; }
  Borrowed& operator=(Borrowed&&) = delete;
  ~Borrowed() {
    if (statement_ != nullptr) statement_->reset();
  }
  Statement* operator->() const { return statement_; }
  Statement& operator*() const { return *statement_; }

 private:
  Statement* statement_;
};

enum class Access { read, write };

constexpr int store_busy_timeout_ms = 5000;  // a hand edit in the sqlite3 shell may hold the write lock for a while

/// One connection; one thread at a time.
class Database {
 public:
  /// Opens an existing file. `busy_timeout_ms`: how long to wait for another process's lock.
  static Result<Database> open(const std::filesystem::path& path, Access access, int busy_timeout_ms);

  Result<void> execute(const char* sql);
  /// Prepared once and kept for the connection's life.
  Result<Borrowed> prepare(std::string_view sql);
  /// Runs a statement that answers with no row.
  Result<void> run(Statement& statement);
  /// The first column of the first row.
  Result<std::int64_t> query_integer(std::string_view sql);

  bool in_transaction() const { return sqlite3_get_autocommit(connection_.get()) == 0; }
  sqlite3* handle() const { return connection_.get(); }
  /// What was removed is to be gone from the write-ahead log too, once nobody reads it any more; the owner asks.
  void ask_for_scrub() { wants_scrub_ = true; }
  void scrubbed() { wants_scrub_ = false; }
  bool wants_scrub() const { return wants_scrub_; }
  /// What `code` means: its `internal` text carries SQLite's own words.
  Error error(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  explicit Database(sqlite3* connection) : connection_(connection) {}

  bool wants_scrub_ = false;
  std::unique_ptr<sqlite3, Close> connection_;
  std::map<std::string, Statement, std::less<>> statements_;  // finalised before the connection closes
};

}  // namespace latchkey::store
