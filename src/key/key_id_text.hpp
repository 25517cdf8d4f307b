#pragma once

#include <array>
#include <bit>
#include <cstring>

#include "base/hex.hpp"
#include "key/key_id.hpp"

namespace latchkey {

/// KeyId::to_string() without an allocation: for what is written at every request.
inline std::array<char, 36> text_of(const KeyId& id) {
  std::array<char, 32> digits;
  for (std::size_t i = 0; i < 4; ++i) {
    std::uint32_t number = 0;
    for (std::size_t byte = 0; byte < 4; ++byte) number = number << 8 | id.bytes()[4 * i + byte];
    const auto eight = hex_digits(number);
    std::memcpy(digits.data() + 8 * i, eight.data(), eight.size());
  }
  std::array<char, 36> text;
  const auto put = [&](std::size_t at, std::size_t from, std::size_t count) {
    std::memcpy(text.data() + at, digits.data() + from, count);
    if (at > 0) text[at - 1] = '-';
  };
  put(0, 0, 8);
  put(9, 8, 4);
  put(14, 12, 4);
  put(19, 16, 4);
  put(24, 20, 12);
  return text;
}

}  // namespace latchkey
