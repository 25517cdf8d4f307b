#include "store/postgres/connection.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "store/not_available.hpp"
#include "store/not_made.hpp"
#include "store/postgres/pooler.hpp"

namespace latchkey::store::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// The server's own bounds come first; ours, patience_, is for one that says nothing any more.
constexpr const char* session_settings =
    "SET statement_timeout = '10s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '10s';"
    "SET standard_conforming_strings = on; SET bytea_output = 'hex'; SET client_min_messages = 'warning';"
    // Statements take microseconds; the planner's guess for empty tables is high enough to compile them each time.
    "SET jit = off;"
    // An acknowledged revocation survives a power cut. Stronger settings stay as they are.
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

void count_warning(void* count, const PGresult*) { ++*static_cast<std::uint64_t*>(count); }

std::string_view field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string_view() : text;
}

// Classes and codes: appendix A of PostgreSQL's manual.
Fault fault_of(std::string_view severity, std::string_view state) {
  if (severity == "FATAL" || severity == "PANIC" || state.starts_with("08") || state.starts_with("57P") ||
      state == "25006" /* read-only: demoted */) {
    return Fault::lost;
  }
  return state == "40001" || state == "40P01" ? Fault::repeat : Fault::refused;
}

Error error_of(Fault fault, std::string_view state, std::string internal) {
  if (fault != Fault::refused || state.starts_with("53") || state.starts_with("57") || state.starts_with("55") ||
      state.starts_with("58") || state.starts_with("28")) {
    return Error(ErrorCode::unavailable, std::string(not_available), std::move(internal));
  }
  if (state.starts_with("22") || state.starts_with("23")) {
    return Error(ErrorCode::conflict, "the database refused the row", std::move(internal));
  }
  // A table or a function that is not there. A process that has seen it before takes that for a broken database.
  if (state == "42P01" || state == "42883") {
    return not_made(std::move(internal));
  }
  return Error(ErrorCode::internal, "the database failed", std::move(internal));
}

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char& c : text) c = c == '\n' ? ' ' : c;
  return text;
}

}  // namespace

Parameters& Parameters::add(std::string_view text) {
  values_.emplace_back(text);
  return *this;
}

Parameters& Parameters::add(std::int64_t value) {
  values_.emplace_back(std::to_string(value));
  return *this;
}

Parameters& Parameters::add(const std::optional<std::int64_t>& value) {
  if (value) return add(*value);
  values_.emplace_back(std::nullopt);
  return *this;
}

Parameters& Parameters::add_or_null(const std::optional<std::string>& text) {
  values_.push_back(text);
  return *this;
}

Parameters& Parameters::add_bytes(std::string_view bytes) {
  std::string hex = "\\x";
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  values_.emplace_back(std::move(hex));
  return *this;
}

std::vector<const char*> Parameters::pointers() const {
  std::vector<const char*> pointers;
  for (const auto& value : values_) pointers.push_back(value ? value->c_str() : nullptr);
  return pointers;
}

std::string_view Row::text(int column) const {
  return {PQgetvalue(result_, row_, column), static_cast<std::size_t>(PQgetlength(result_, row_, column))};
}

std::int64_t Row::integer(int column) const {
  std::int64_t value = 0;
  const std::string_view digits = text(column);
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::optional<std::int64_t> Row::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

std::string Row::bytes(int column) const {
  std::string_view hex = text(column);
  std::string bytes;
  if (!hex.starts_with("\\x")) return bytes;
  for (hex.remove_prefix(2); hex.size() >= 2; hex.remove_prefix(2)) {
    unsigned byte = 0;
    std::from_chars(hex.data(), hex.data() + 2, byte, 16);
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

Result<std::unique_ptr<Connection>> Connection::open(const Url& url, Server server, Time deadline) {
  auto connection = open_unchecked(url, server);
  if (!connection) return connection;
  (*connection)->set_deadline(deadline);
  if (auto checked = check_pooler(**connection, url, server); !checked) return checked.error();
  if (auto prepared = (*connection)->prepare_session(); !prepared) return prepared.error();
  return connection;
}

Result<std::unique_ptr<Connection>> Connection::open_unchecked(const Url& url, Server server) {
  const auto names = url.names();
  const auto values = url.values(server);
  std::unique_ptr<Connection> connection(new Connection(PQconnectdbParams(names.data(), values.data(), 0), url));
  if (PQstatus(connection->connection_.get()) != CONNECTION_OK) {
    return connection->lost(PQerrorMessage(connection->connection_.get()));
  }
  PQsetNoticeReceiver(connection->connection_.get(), count_warning, &connection->warnings_);
  return connection;
}

Connection::~Connection() = default;

Result<void> Connection::prepare_session() {
  if (auto set = execute(session_settings); !set) return set;
  const auto system = query("SELECT system_identifier FROM pg_control_system()");
  if (!system) return system.error();
  system_ = (*system)[0].text(0);
  return {};
}

Result<Rows> Connection::query(std::string_view sql, const Parameters& parameters) {
  const auto name = prepare(sql);
  if (!name) return name.error();
  if (deferred_.empty()) return send_and_receive(send(*name, parameters));
  // All in one round trip; after a failure the server skips the rest up to the sync.
  PGconn* raw = connection_.get();
  if (PQenterPipelineMode(raw) != 1) return lost("no pipeline");
  const auto deferred = std::exchange(deferred_, {});
  bool sent = true;
  for (const auto& statement : deferred) {
    sent = sent && PQsendQueryParams(raw, statement.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 1;
  }
  if (!sent || !send(*name, parameters) || PQpipelineSync(raw) != 1) return lost(PQerrorMessage(raw));
  std::optional<Result<Rows>> outcome;
  for (std::size_t i = 0; i <= deferred.size(); ++i) {
    auto received = receive();
    if (is_lost()) return received;
    if (!outcome || *outcome) outcome.emplace(std::move(received));  // the first failure is the one that counts
  }
  if (auto sync = next_result(); !sync) return sync.error();
  if (PQexitPipelineMode(raw) != 1) return lost(PQerrorMessage(raw));
  return std::move(*outcome);
}

Result<Rows> Connection::query_once(const std::string& sql) {
  const bool sent = PQsendQueryParams(connection_.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 1;
  return send_and_receive(sent ? Result<void>() : lost(PQerrorMessage(connection_.get())));
}

Result<void> Connection::execute(const std::string& sql) {
  std::string all;
  for (const auto& statement : std::exchange(deferred_, {})) all += statement + ";";
  all += sql;
  fault_ = Fault::none;
  if (PQsendQuery(connection_.get(), all.c_str()) != 1) return lost(PQerrorMessage(connection_.get()));
  std::optional<Error> error;
  for (;;) {
    auto result = next_result();
    if (!result) return result.error();
    if (!*result) break;
    const ExecStatusType status = PQresultStatus(result->get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) error = failed(result->get());
  }
  return error ? Result<void>(std::move(*error)) : Result<void>();
}

Result<std::string> Connection::prepare(std::string_view sql) {
  if (const auto found = prepared_.find(sql); found != prepared_.end()) return found->second;
  // In a transaction of its own fate: what was deferred must come before it.
  std::string name = fmt::format("s{}", prepared_.size());
  if (!deferred_.empty()) {
    if (auto executed = execute(""); !executed) return executed.error();
  }
  const std::string text(sql);
  const bool sent = PQsendPrepare(connection_.get(), name.c_str(), text.c_str(), 0, nullptr) == 1;
  auto made = send_and_receive(sent ? Result<void>() : lost(PQerrorMessage(connection_.get())));
  if (!made) return made.error();
  prepared_.emplace(text, name);
  return name;
}

Result<void> Connection::send(const std::string& name, const Parameters& parameters) {
  const auto values = parameters.pointers();
  fault_ = Fault::none;
  if (PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()), values.data(), nullptr,
                          nullptr, 0) != 1) {
    return lost(PQerrorMessage(connection_.get()));
  }
  return {};
}

Result<Rows> Connection::send_and_receive(const Result<void>& sent) {
  fault_ = sent ? Fault::none : fault_;
  return sent ? receive() : Result<Rows>(sent.error());
}

// One statement's answer, with the null result that ends it.
Result<Rows> Connection::receive() {
  auto result = next_result();
  if (!result) return result.error();
  for (;;) {
    auto end = next_result();
    if (!end) return end.error();
    if (!*end) break;
  }
  switch (PQresultStatus(result->get())) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
      return Rows(std::move(*result));
    case PGRES_PIPELINE_ABORTED:
      return Error(ErrorCode::internal, "the database failed", "after a failed statement");
    default:
      return failed(result->get());
  }
}

Result<Answer> Connection::next_result() {
  PGconn* raw = connection_.get();
  const auto deadline = std::min(steady_clock::now() + patience_, deadline_);
  while (PQisBusy(raw) == 1) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds(0)) return lost("no answer in time");
    pollfd file{PQsocket(raw), POLLIN, 0};
    ::poll(&file, 1, static_cast<int>(left.count()));
    if ((file.revents & (POLLIN | POLLERR | POLLHUP)) != 0 && PQconsumeInput(raw) != 1)
      return lost(PQerrorMessage(raw));
  }
  Answer result(PQgetResult(raw));
  if (!result && PQstatus(raw) != CONNECTION_OK) return lost(PQerrorMessage(raw));
  return result;
}

Result<bool> Connection::take_notifications() {
  if (PQconsumeInput(connection_.get()) != 1) return lost(PQerrorMessage(connection_.get()));
  bool any = false;
  while (PGnotify* notification = PQnotifies(connection_.get())) {
    PQfreemem(notification);
    any = true;
  }
  return any;
}

Error Connection::failed(const PGresult* result) {
  const std::string_view state = field(result, PG_DIAG_SQLSTATE);
  fault_ = fault_of(field(result, PG_DIAG_SEVERITY_NONLOCALIZED), state);
  if (PQstatus(connection_.get()) != CONNECTION_OK) fault_ = Fault::lost;
  // The primary message alone: the details quote rows.
  std::string words = state.empty() ? one_line(PQresultErrorMessage(result))
                                    : fmt::format("PostgreSQL error {}: {}", state,
                                                  one_line(std::string(field(result, PG_DIAG_MESSAGE_PRIMARY))));
  // Our names of statements are new with each connection; only a client behind a pooler that shares its server's
  // connections finds them taken or gone.
  if (state == "42P05" || state == "26000") words += fmt::format(": {}", shared_by_pooler);
  return error_of(fault_, state, url_.without_password(std::move(words)));
}

Error Connection::lost(std::string why) {
  fault_ = Fault::lost;
  return Error(ErrorCode::unavailable, "the database is not available",
               url_.without_password(one_line(std::move(why))));
}

}  // namespace latchkey::store::postgres
