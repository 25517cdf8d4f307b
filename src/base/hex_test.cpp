#include "base/hex.hpp"

#include <gtest/gtest.h>

#include <string>

namespace latchkey {
namespace {

std::string hex(std::uint32_t number) {
  const auto digits = hex_digits(number);
  return {digits.begin(), digits.end()};
}

TEST(Hex, EightDigitsTheHighestFirst) {
  EXPECT_EQ(hex(0), "00000000");
  EXPECT_EQ(hex(0x0123'4567), "01234567");
  EXPECT_EQ(hex(0x89ab'cdef), "89abcdef");
  EXPECT_EQ(hex(0xffff'ffff), "ffffffff");
}

TEST(Hex, EveryDigitInEveryPlace) {
  for (unsigned place = 0; place < 8; ++place) {
    for (unsigned digit = 0; digit < 16; ++digit) {
      std::string expected(8, '0');
      expected[7 - place] = "0123456789abcdef"[digit];
      EXPECT_EQ(hex(digit << (4 * place)), expected);
    }
  }
}

}  // namespace
}  // namespace latchkey
