#pragma once

#include <string>
#include <string_view>

#include "base/printable.hpp"

namespace latchkey {

/// Text from elsewhere in quotes, printable and cut to `most` bytes, to stand in a message: `"abc"`, `"abc…"`.
inline std::string shown(std::string_view text, std::size_t most = 64) {
  const bool whole = text.size() <= most;
  return '"' + printable(text.substr(0, most)) + (whole ? "\"" : "…\"");
}

}  // namespace latchkey
