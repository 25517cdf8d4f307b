#include "key/key_id.hpp"

#include <cstring>

#include "base/hex.hpp"
#include "key/key_id_text.hpp"

namespace latchkey {

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
  std::array<char, 32> digits;
  for (const auto& group : key_id_groups) {
    if (group.at > 0 && text[group.at - 1] != '-') return std::nullopt;
    std::memcpy(digits.data() + group.digits, text.data() + group.at, group.count);
  }
  Bytes bytes{};
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    const auto word = parse_hex(digits.data() + 2 * i);
    if (!word) return std::nullopt;
    for (std::size_t byte = 0; byte < 4; ++byte) bytes[i + byte] = static_cast<std::uint8_t>(*word >> (24 - 8 * byte));
  }
  if (bytes[6] >> 4 != 7 || bytes[8] >> 6 != 2) return std::nullopt;
  return KeyId(bytes);
}

std::string KeyId::to_string() const {
  const auto text = text_of(*this);
  return {text.begin(), text.end()};
}

}  // namespace latchkey
