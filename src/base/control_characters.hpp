#pragma once

// Control characters in UTF-8 text: C0 (below U+0020), DEL and C1 (U+0080 to U+009F). A terminal may obey a C1 control
// as it obeys ESC, so code that refuses the one refuses the other.

#include <cstddef>
#include <string_view>

namespace latchkey {

/// The bytes of the control character that `text` begins with; 0 where it begins with none.
constexpr std::size_t leading_control(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0xffU; };
  if (byte(0) < 0x20 || byte(0) == 0x7f) return 1;
  return byte(0) == 0xc2 && byte(1) >= 0x80 && byte(1) <= 0x9f ? 2 : 0;
}

constexpr bool has_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (leading_control(text.substr(i)) != 0) return true;
  }
  return false;
}

}  // namespace latchkey
