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

TEST(Hex, IsReadAsItIsWritten) {
  for (const std::uint32_t number : {0U, 1U, 0x0123'4567U, 0x89ab'cdefU, 0xffff'ffffU}) {
    EXPECT_EQ(parse_hex(hex(number).c_str()), number);
  }
}

TEST(Hex, NothingElseIsRead) {
  for (std::size_t place = 0; place < 8; ++place) {
    for (int octet = 0; octet < 256; ++octet) {
      std::string text = "01289aef";
      text[place] = static_cast<char>(octet);
      const bool is_digit = (octet >= '0' && octet <= '9') || (octet >= 'a' && octet <= 'f');
      EXPECT_EQ(parse_hex(text.c_str()).has_value(), is_digit) << place << ' ' << octet;
    }
  }
}

}  // namespace
}  // namespace latchkey
