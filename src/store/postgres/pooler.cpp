#include "store/postgres/pooler.hpp"

#include <set>
#include <string>

namespace latchkey::store::postgres {
namespace {

// A busy pool may happen to give each the same connection as before.
constexpr int rounds = 3;
constexpr std::chrono::milliseconds patience{1000};

/// The process that answers; ErrorCode::unavailable without an answer.
Result<std::string> process_of(Connection& connection) {
  const auto rows = connection.query_once("SELECT pg_backend_pid()");
  if (!rows) return rows.error();
  return std::string((*rows)[0].text(0));
}

/// Asks first, second, second, first: even a pool that takes its connections in turn cannot give each its own.
Result<bool> shares(Connection& first, Connection& second) {
  std::set<std::string> of_first;
  std::set<std::string> of_second;
  for (int round = 0; round < rounds; ++round) {
    for (const bool of_the_first : {true, false, false, true}) {
      auto process = process_of(of_the_first ? first : second);
      if (!process) return process.error();
      (of_the_first ? of_first : of_second).insert(std::move(*process));
    }
  }
  return of_first.size() > 1 || of_second.size() > 1 || of_first == of_second;
}

constexpr const char* keep_me = "SET latchkey.session = 'on'";

}  // namespace

Result<void> check_pooler(Connection& connection, const Url& url, Server server) {
  const auto process = process_of(connection);
  if (!process) return process.error();
  if (*process == std::to_string(connection.announced_process())) return {};
  if (auto kept = connection.execute(keep_me); !kept) return kept;
  const auto second = Connection::open_unchecked(url, server);
  if (!second) return {};
  (*second)->set_patience(patience);
  if (!(*second)->execute(keep_me)) return {};
  const auto shared = shares(connection, **second);
  if (connection.is_lost()) return shared ? Result<void>() : shared.error();
  if (!shared || !*shared) return {};
  // Not `not_available`: no waiting mends it.
  return Error(ErrorCode::unavailable, "the database's pooler shares its connections", std::string(shared_by_pooler));
}

}  // namespace latchkey::store::postgres
