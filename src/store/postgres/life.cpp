#include "store/postgres/life.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

namespace latchkey::store::postgres {

LogEnd read_log_end(const Row& row, const std::string& system) {
  const std::string text = fmt::format("{} {} {} {}", row.text(2), system, row.text(4), row.text(3));
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  LogEnd end;
  for (std::size_t i = 0; i < sizeof end.position.epoch.value; ++i) {
    end.position.epoch.value = end.position.epoch.value << 8U | digest[i];
  }
  end.position.seq = static_cast<std::uint64_t>(row.integer(0));
  end.nonce = static_cast<std::uint64_t>(row.integer(1));
  return end;
}

Result<LogEnd> log_end(Connection& connection) {
  static const std::string sql = fmt::format("SELECT {} FROM {}", life_columns, life_source);
  const auto rows = connection.query(sql);
  if (!rows) return rows.error();
  if (rows->count() != 1) {
    return Error(ErrorCode::internal, "the database is not whole", "log_lock or meta has not one row");
  }
  return read_log_end((*rows)[0], connection.system());
}

}  // namespace latchkey::store::postgres
