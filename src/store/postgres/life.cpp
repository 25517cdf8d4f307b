#include "store/postgres/life.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

namespace latchkey::store::postgres {

Life read_life(const Row& row, const std::string& system) {
  const std::string text = fmt::format("{} {} {} {}", row.text(2), system, row.text(4), row.text(3));
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  Life life;
  for (std::size_t i = 0; i < sizeof life.end.epoch.value; ++i) {
    life.end.epoch.value = life.end.epoch.value << 8U | digest[i];
  }
  life.end.seq = static_cast<std::uint64_t>(row.integer(0));
  life.nonce = static_cast<std::uint64_t>(row.integer(1));
  return life;
}

}  // namespace latchkey::store::postgres
