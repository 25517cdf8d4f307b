#include "jwt/base64url.hpp"

#include <array>

namespace latchkey::jwt {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint32_t not_a_digit = 0xff00'0000;  // beside the three bytes that a digit has a part in

/// For each place in a group of four, what each character adds to the three bytes, in the order in which they are
/// stored: all that is left to do is to look up and to OR.
using Places = std::array<std::array<std::uint32_t, 256>, 4>;

constexpr std::uint32_t in_order(std::uint32_t bits) { return bits >> 16U | (bits & 0xff00U) | (bits & 0xffU) << 16U; }

constexpr Places make_places() {
  Places places{};
  for (std::size_t place = 0; place < places.size(); ++place) {
    places[place].fill(not_a_digit);
    for (std::uint32_t i = 0; i < alphabet.size(); ++i) {
      places[place][static_cast<unsigned char>(alphabet[i])] = in_order(i << (18 - 6 * place));
    }
  }
  return places;
}

constexpr auto places = make_places();

/// Three bytes of up to four digits, the first one lowest; not_a_digit set where one is none.
std::uint32_t bytes_of(const char* digits, std::size_t count) {
  std::uint32_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) bytes |= places[i][static_cast<unsigned char>(digits[i])];
  return bytes;
}

void put(std::uint8_t* out, std::uint32_t bytes, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint8_t>(bytes >> (8 * i));
}

// The last two or three digits to one or two bytes; the digits' spare bits, which reach into the next byte, must be
// zero.
bool decode_tail(std::string_view in, std::uint8_t* out) {
  const std::uint32_t bytes = bytes_of(in.data(), in.size());
  const std::size_t count = in.size() - 1;
  put(out, bytes, count);
  return bytes >> (8 * count) == 0;
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
  std::uint32_t seen = 0;
  for (; text.size() >= 4; text.remove_prefix(4), to += 3) {
    const std::uint32_t bytes = bytes_of(text.data(), 4);
    put(to, bytes, 3);
    seen |= bytes;
  }
  return (seen & not_a_digit) == 0 && (text.empty() || decode_tail(text, to));
}

}  // namespace latchkey::jwt
