#include "key/key_id.hpp"

#include "key/key_id_text.hpp"

namespace latchkey {
namespace {

// Looked up rather than compared: the digits of an id are random, so a branch on them is mispredicted half the time.
constexpr std::uint8_t not_hex = 0xf0;

constexpr std::array<std::uint8_t, 256> make_hex_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(not_hex);
  for (std::uint8_t i = 0; i < 16; ++i) values[static_cast<unsigned char>("0123456789abcdef"[i])] = i;
  return values;
}

constexpr auto hex_values = make_hex_values();

// Where each byte's two digits stand in the text.
constexpr std::array<std::uint8_t, 16> digits_at = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

}  // namespace

KeyId KeyId::generate(UnixMillis now, Random& random) {
  Bytes bytes{};
  random.fill(bytes);
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(now.count >> (40 - 8 * i));
  bytes[6] = static_cast<std::uint8_t>(0x70 | (bytes[6] & 0x0f));
  bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3f));
  return KeyId(bytes);
}

std::optional<KeyId> KeyId::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return std::nullopt;
  Bytes bytes{};
  unsigned seen = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned high = hex_values[static_cast<unsigned char>(text[digits_at[i]])];
    const unsigned low = hex_values[static_cast<unsigned char>(text[digits_at[i] + std::size_t{1}])];
    seen |= high | low;
    bytes[i] = static_cast<std::uint8_t>(high << 4U | low);
  }
  if (seen > 0x0f) return std::nullopt;
  if (bytes[6] >> 4 != 7 || bytes[8] >> 6 != 2) return std::nullopt;
  return KeyId(bytes);
}

std::string KeyId::to_string() const {
  const auto text = text_of(*this);
  return {text.begin(), text.end()};
}

}  // namespace latchkey
