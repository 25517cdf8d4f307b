#include "jwt/base64url.hpp"

#include <array>

namespace latchkey::jwt {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint32_t not_a_digit = 0x8000'0000;  // survives the shifts and ORs below

constexpr std::array<std::uint32_t, 256> make_values() {
  std::array<std::uint32_t, 256> values{};
  values.fill(not_a_digit);
  for (std::uint32_t i = 0; i < alphabet.size(); ++i) values[static_cast<unsigned char>(alphabet[i])] = i;
  return values;
}

constexpr auto values = make_values();

std::uint32_t value_of(char c) { return values[static_cast<unsigned char>(c)]; }

// Four digits to three bytes; true if all four were digits.
bool decode_group(const char* in, std::uint8_t* out) {
  const std::uint32_t a = value_of(in[0]), b = value_of(in[1]), c = value_of(in[2]), d = value_of(in[3]);
  const std::uint32_t bits = a << 18U | b << 12U | c << 6U | d;
  out[0] = static_cast<std::uint8_t>(bits >> 16U);
  out[1] = static_cast<std::uint8_t>(bits >> 8U);
  out[2] = static_cast<std::uint8_t>(bits);
  return ((a | b | c | d) & not_a_digit) == 0;
}

// The last two or three digits to one or two bytes; the digits' spare bits must be zero.
bool decode_tail(std::string_view in, std::uint8_t* out) {
  const std::uint32_t a = value_of(in[0]), b = value_of(in[1]), c = in.size() == 3 ? value_of(in[2]) : 0;
  if (((a | b | c) & not_a_digit) != 0) return false;
  const std::uint32_t bits = a << 10U | b << 4U | c >> 2U;
  out[0] = static_cast<std::uint8_t>(bits >> 8U);
  if (in.size() == 2) return (b & 0x0fU) == 0;
  out[1] = static_cast<std::uint8_t>(bits);
  return (c & 0x03U) == 0;
}

constexpr std::size_t decoded_size(std::size_t digits) { return digits / 4 * 3 + (digits % 4) * 3 / 4; }

}  // namespace

void append_base64url(std::string& out, std::span<const std::uint8_t> bytes) {
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8U | byte;
    for (held += 8; held >= 6; held -= 6) out += alphabet[bits >> (held - 6) & 0x3fU];
  }
  if (held > 0) out += alphabet[bits << (6 - held) & 0x3fU];
}

std::string encode_base64url(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  append_base64url(text, bytes);
  return text;
}

std::string encode_base64url(std::string_view bytes) { return encode_base64url(as_bytes(bytes)); }

std::optional<std::string> decode_base64url(std::string_view text) {
  std::string bytes(decoded_size(text.size()), '\0');
  if (!decode_base64url(text, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()})) return std::nullopt;
  return bytes;
}

bool decode_base64url(std::string_view text, std::span<std::uint8_t> out) {
  if (text.size() % 4 == 1 || out.size() != decoded_size(text.size())) return false;
  std::uint8_t* to = out.data();
  bool good = true;
  for (; text.size() >= 4; text.remove_prefix(4), to += 3) good &= decode_group(text.data(), to);
  return good && (text.empty() || decode_tail(text, to));
}

}  // namespace latchkey::jwt
