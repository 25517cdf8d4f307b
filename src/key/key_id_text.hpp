#pragma once

#include <array>
#include <cstring>

#include "base/hex.hpp"
#include "key/key_id.hpp"

namespace latchkey {

/// The text form is five groups of hexadecimal digits; a hyphen stands before all but the first.
struct KeyIdGroup {
  std::size_t at;      // in the text
  std::size_t digits;  // where its digits begin, among all 32
  std::size_t count;
};
constexpr KeyIdGroup key_id_groups[] = {{0, 0, 8}, {9, 8, 4}, {14, 12, 4}, {19, 16, 4}, {24, 20, 12}};

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
  for (const auto& group : key_id_groups) {
    std::memcpy(text.data() + group.at, digits.data() + group.digits, group.count);
    if (group.at > 0) text[group.at - 1] = '-';
  }
  return text;
}

}  // namespace latchkey
