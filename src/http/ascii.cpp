#include "http/ascii.hpp"

#include <cstdint>
#include <cstring>

namespace latchkey::http {
namespace {

/// Eight characters side by side. A sum reaches an octet's highest bit from 'A' on, or only past 'Z'; where only the
/// first one does, there is a capital, and 0x20 makes it small.
std::uint64_t lower_word(const char* text) {
  constexpr std::uint64_t ones = 0x0101'0101'0101'0101, highest_bits = ones << 7;
  std::uint64_t chars = 0;
  std::memcpy(&chars, text, sizeof chars);
  const std::uint64_t low_bits = chars & ~highest_bits;
  const std::uint64_t from_a = low_bits + ones * (0x80 - 'A'), past_z = low_bits + ones * (0x7f - 'Z');
  return chars | ((from_a & ~past_z & ~chars & highest_bits) >> 2);
}

}  // namespace

bool equal_ignoring_case(const char* a, const char* b, std::size_t size) {
  constexpr std::size_t word = sizeof(std::uint64_t);
  std::size_t at = 0;
  for (; size - at >= word; at += word) {
    if (lower_word(a + at) != lower_word(b + at)) return false;
  }
  for (; at < size; ++at) {
    if (to_lower(a[at]) != to_lower(b[at])) return false;
  }
  return true;
}

}  // namespace latchkey::http
