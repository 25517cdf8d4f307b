#pragma once

#include <array>

#include "key/key_id.hpp"

namespace latchkey {

/// KeyId::to_string() without an allocation: for what is written at every request.
inline std::array<char, 36> text_of(const KeyId& id) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::array<char, 36> text{};
  std::size_t size = 0;
  for (const std::uint8_t byte : id.bytes()) {
    if (size == 8 || size == 13 || size == 18 || size == 23) text[size++] = '-';
    text[size++] = hex[byte >> 4];
    text[size++] = hex[byte & 0xf];
  }
  return text;
}

}  // namespace latchkey
