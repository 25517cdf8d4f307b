#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>

namespace latchkey {

/// Eight lower-case hex digits, the highest first, all made at once: ids and positions are written at every request.
inline std::array<char, 8> hex_digits(std::uint32_t number) {
  constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
  std::uint64_t digits = number;  // pulled apart into halves, quarters and digits, an octet each
  digits = (digits | digits << 16) & 0x0000'ffff'0000'ffff;
  digits = (digits | digits << 8) & 0x00ff'00ff'00ff'00ff;
  digits = (digits | digits << 4) & 0x0f0f'0f0f'0f0f'0f0f;
  const std::uint64_t letters = ((digits + ones * 6) >> 4) & ones;  // where it is 10 or more
  digits += ones * '0' + letters * ('a' - '0' - 10);
  if constexpr (std::endian::native == std::endian::little) digits = __builtin_bswap64(digits);
  return std::bit_cast<std::array<char, 8>>(digits);
}

/// The number of eight lower-case hex digits; nullopt for anything else.
inline std::optional<std::uint32_t> parse_hex(const char* eight) {
  constexpr std::uint64_t ones = 0x0101'0101'0101'0101, highest_bits = ones << 7;
  std::uint64_t chars = 0;
  std::memcpy(&chars, eight, sizeof chars);
  if constexpr (std::endian::native == std::endian::little) chars = __builtin_bswap64(chars);
  if ((chars & highest_bits) != 0) return std::nullopt;
  // Sums that reach an octet's highest bit from a character on; none carries into the next.
  const auto from = [&](char first) { return chars + ones * static_cast<std::uint64_t>(0x80 - first); };
  const std::uint64_t digits = from('0') & ~from('9' + 1), letters = from('a') & ~from('f' + 1);
  if (((digits | letters) & highest_bits) != highest_bits) return std::nullopt;
  const std::uint64_t is_letter = (letters & highest_bits) >> 7;
  std::uint64_t values = chars - ones * '0' - is_letter * ('a' - '0' - 10);  // a digit an octet, to be pushed together
  values = (values | values >> 4) & 0x00ff'00ff'00ff'00ff;
  values = (values | values >> 8) & 0x0000'ffff'0000'ffff;
  return static_cast<std::uint32_t>(values | values >> 16);
}

}  // namespace latchkey
