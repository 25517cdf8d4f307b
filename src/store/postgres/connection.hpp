#pragma once

// libpq as far as the engines need it: one connection, its answers, and its errors as ours.

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "store/postgres/url.hpp"

namespace latchkey::store::postgres {

/// Values for $1, $2, … of one statement.
class Parameters {
 public:
  Parameters& add(std::string_view text);  // without NUL
  Parameters& add(std::int64_t value);
  Parameters& add_flag(bool value) { return add(std::string_view(value ? "t" : "f")); }
  Parameters& add(const std::optional<std::int64_t>& value);
  Parameters& add_or_null(const std::optional<std::string>& text);  // without NUL
  Parameters& add_bytes(std::string_view bytes);

  std::vector<const char*> pointers() const;

 private:
  std::vector<std::optional<std::string>> values_;
};

/// One row of an answer; valid while the Rows it is of lives. Columns count from 0.
class Row {
 public:
  Row(const PGresult* result, int row) : result_(result), row_(row) {}

  bool is_null(int column) const { return PQgetisnull(result_, row_, column) == 1; }
  std::string_view text(int column) const;
  std::int64_t integer(int column) const;  // 0 for NULL
  std::optional<std::int64_t> optional_integer(int column) const;
  bool boolean(int column) const { return text(column) == "t"; }
  std::string bytes(int column) const;

 private:
  const PGresult* result_;
  int row_;
};

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, ClearResult>;

/// The rows that one statement answered with.
class Rows {
 public:
  explicit Rows(Answer answer) : answer_(std::move(answer)) {}
  int count() const { return PQntuples(answer_.get()); }
  int columns() const { return PQnfields(answer_.get()); }
  Row operator[](int row) const { return {answer_.get(), row}; }
  std::string_view tag() const { return PQcmdStatus(answer_.get()); }  // "COMMIT", "INSERT 0 1", …

 private:
  Answer answer_;
};

/// Why the last statement failed, where that decides what to do next.
enum class Fault {
  none,
  refused,  // the statement; the connection goes on
  repeat,   // deadlock or serialization failure: the transaction may simply be run again
  lost,     // the connection, or the server is no longer one that takes commands: connect anew
};

/// What to do where a pooler shares its connections among its clients.
inline constexpr std::string_view shared_by_pooler =
    "LATCHKEY_STORE leads to a pooler that gives each transaction another connection (PgBouncer: "
    "pool_mode=transaction); let it lead to PostgreSQL itself, or to a pooler in session mode (pool_mode=session)";

/// One connection; one thread at a time. Every wait for the server has a bound, after which the connection is lost.
class Connection {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// How long libpq waits for one host of the URL, unless the URL says otherwise (store/postgres/url.cpp).
  static constexpr std::chrono::seconds connect_timeout{5};

  /// Ready for use. Refused behind a pooler that shares its connections (store/postgres/pooler.hpp). What is asked on
  /// it before it is ready waits no longer than until `deadline`, and the deadline stays.
  static Result<std::unique_ptr<Connection>> open(const Url& url, Server server, Time deadline = Time::max());
  /// Without the session's settings, and whatever is between.
  static Result<std::unique_ptr<Connection>> open_unchecked(const Url& url, Server server);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// One statement, prepared when first seen and kept for the connection's life.
  Result<Rows> query(std::string_view sql, const Parameters& parameters = {});
  /// One statement that is not kept.
  Result<Rows> query_once(const std::string& sql);
  /// Statements without parameters or rows, in one round trip.
  Result<void> execute(const std::string& sql);
  /// A statement of no interest by itself (SAVEPOINT, BEGIN), sent along with the next one. Its failure is the next
  /// one's.
  void defer(std::string_view sql) { deferred_.emplace_back(sql); }

  Fault fault() const { return fault_; }
  bool is_lost() const { return fault_ == Fault::lost || PQstatus(connection_.get()) != CONNECTION_OK; }
  bool in_failed_transaction() const { return PQtransactionStatus(connection_.get()) == PQTRANS_INERROR; }
  /// Warnings of the server since the connection began. One at COMMIT says that it is not what it seems.
  std::uint64_t warnings() const { return warnings_; }
  /// Which cluster this is: its system identifier.
  const std::string& system() const { return system_; }
  /// Forgets the notifications that came; whether there were any. Reads what the socket has, never waits.
  Result<bool> take_notifications();
  /// The server's process, as it was announced when the connection was made. A pooler announces a number of its own.
  int announced_process() const { return PQbackendPID(connection_.get()); }
  /// How long an answer is waited for: 15 s unless set.
  void set_patience(std::chrono::milliseconds patience) { patience_ = patience; }
  /// A moment past which no answer is waited for, however many are: a caller has one for all that it asks.
  void set_deadline(Time deadline) { deadline_ = deadline; }
  int socket() const { return PQsocket(connection_.get()); }

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  Connection(PGconn* connection, const Url& url) : connection_(connection), url_(url) {}

  Result<void> prepare_session();
  Result<std::string> prepare(std::string_view sql);
  Result<void> send(const std::string& name, const Parameters& parameters);
  Result<Rows> receive();
  Result<Answer> next_result();
  Result<Rows> send_and_receive(const Result<void>& sent);
  Error failed(const PGresult* result);
  Error lost(std::string why);

  std::unique_ptr<PGconn, Finish> connection_;
  const Url url_;
  std::string system_;
  std::map<std::string, std::string, std::less<>> prepared_;  // statement → its name
  std::vector<std::string> deferred_;
  std::uint64_t warnings_ = 0;
  std::chrono::milliseconds patience_{15'000};
  Time deadline_ = Time::max();
  Fault fault_ = Fault::none;
};

}  // namespace latchkey::store::postgres
