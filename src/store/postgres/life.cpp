#include "store/postgres/life.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

#include "base/log.hpp"
#include "store/schema_version.hpp"

namespace latchkey::store::postgres {
namespace {

enum Column : int { oid = 3, schema = 5, readers, home, subscribed };

constexpr const char* fills = "the database receives its rows from another one by logical replication";

/// One row, or an error.
Result<Rows> read_life(Connection& connection) {
  static const std::string sql = fmt::format("SELECT {} FROM {}", life_columns, life_source);
  auto rows = connection.query(sql);
  if (rows && rows->count() != 1) {
    return Error(ErrorCode::internal, "the database is not whole", "log_lock or meta has not one row");
  }
  return rows;
}

}  // namespace

LogEnd read_log_end(const Row& row, const std::string& system) {
  const std::string text = fmt::format("{} {} {} {}", row.text(2), system, row.text(4), row.text(3));
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  LogEnd end;
  for (std::size_t i = 0; i < sizeof end.position.epoch.value; ++i) {
    end.position.epoch.value = end.position.epoch.value << 8U | digest[i];
  }
  end.position.seq = Seq{static_cast<std::uint64_t>(row.integer(0))};
  end.nonce = Nonce{static_cast<std::uint64_t>(row.integer(1))};
  return end;
}

bool is_home(const Row& row, const std::string& system) {
  return row.text(home) == fmt::format("{} {}", system, row.text(oid));
}

Result<void> check_readable(const Row& row) {
  if (row.boolean(subscribed)) {
    return Error(ErrorCode::unavailable, fills,
                 std::string(fills) +
                     ", and does not say how late they are: point LATCHKEY_STORE to the database that takes the "
                     "commands, or to a physical standby of it");
  }
  return store::check_readable(row.integer(schema), row.text(readers));
}

Result<void> check_writable(const Row& row) {
  if (row.boolean(subscribed)) return Error(ErrorCode::unavailable, fills, fills);
  return store::check_writable(row.integer(schema));
}

Result<void> make_home(Connection& connection) {
  const auto rows = read_life(connection);
  if (!rows) return rows.error();
  if ((*rows)[0].boolean(subscribed)) {
    return Error(ErrorCode::conflict, fills, "drop its subscription first, if it is to take the commands from now on");
  }
  if (auto writable = check_writable((*rows)[0]); !writable) return writable;
  if (is_home((*rows)[0], connection.system())) return {};
  log_warning("the database is another than the one that a management service committed to last; going on with it");
  return connection.execute("UPDATE meta SET home = home()");
}

Result<LogEnd> log_end(Connection& connection) {
  const auto rows = read_life(connection);
  if (!rows) return rows.error();
  return read_log_end((*rows)[0], connection.system());
}

Result<LogEnd> readable_log_end(Connection& connection) {
  const auto rows = read_life(connection);
  if (!rows) return rows.error();
  if (auto readable = check_readable((*rows)[0]); !readable) return readable.error();
  return read_log_end((*rows)[0], connection.system());
}

}  // namespace latchkey::store::postgres
