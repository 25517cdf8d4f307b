#pragma once

// Text from elsewhere that people are to read: UTF-8, without what a terminal may obey.

#include <algorithm>
#include <string>
#include <string_view>

#include "base/control_characters.hpp"

namespace latchkey {

/// The bytes of the character that `text` begins with; 0 where it begins with none (RFC 3629, 4).
constexpr std::size_t leading_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto in = [&](std::size_t i, unsigned from, unsigned to) { return byte(i) >= from && byte(i) <= to; };
  const auto tail = [&](std::size_t i) { return in(i, 0x80, 0xbf); };
  if (text.empty()) return 0;
  if (byte(0) < 0x80) return 1;
  if (in(0, 0xc2, 0xdf)) return tail(1) ? 2 : 0;
  if (in(0, 0xe0, 0xef)) {
    return in(1, byte(0) == 0xe0 ? 0xa0 : 0x80, byte(0) == 0xed ? 0x9f : 0xbf) && tail(2) ? 3 : 0;
  }
  if (!in(0, 0xf0, 0xf4)) return 0;
  return in(1, byte(0) == 0xf0 ? 0x90 : 0x80, byte(0) == 0xf4 ? 0x8f : 0xbf) && tail(2) && tail(3) ? 4 : 0;
}

constexpr bool is_printable(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = leading_control(text) != 0 ? 0 : leading_character(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

/// With a "?" in place of each byte that is no part of a character, and of each control character.
constexpr std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t control = leading_control(text);
    const std::size_t length = control != 0 ? 0 : leading_character(text);
    out += length == 0 ? "?" : text.substr(0, length);
    text.remove_prefix(std::max({control, length, std::size_t{1}}));
  }
  return out;
}

}  // namespace latchkey
