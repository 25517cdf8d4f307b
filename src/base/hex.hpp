#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

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

}  // namespace latchkey
