#include "key/key_id.hpp"

namespace latchkey {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

constexpr bool hyphen_before(std::size_t byte) { return byte == 4 || byte == 6 || byte == 8 || byte == 10; }

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

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
  Bytes bytes{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (hyphen_before(i) && text[at++] != '-') return std::nullopt;
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    at += 2;
  }
  if (bytes[6] >> 4 != 7 || bytes[8] >> 6 != 2) return std::nullopt;
  return KeyId(bytes);
}

std::string KeyId::to_string() const {
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    if (hyphen_before(i)) text += '-';
    text += hex_digits[bytes_[i] >> 4];
    text += hex_digits[bytes_[i] & 0x0f];
  }
  return text;
}

}  // namespace latchkey
