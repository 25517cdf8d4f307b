#pragma once

#include <string_view>

#include "base/error.hpp"

namespace latchkey::redis {

/// With what to do, where the server refused a command or script for what may stand at its keys. (Before Redis 7 a
/// script's error has no code of its own.)
inline Error with_remedy(Error error, std::string_view remedy) {
  if (error.internal.ends_with(": WRONGTYPE") || error.internal.ends_with(": ERR")) {
    error.internal.append("; if what stands there is not ours: ").append(remedy);
  }
  return error;
}

}  // namespace latchkey::redis
