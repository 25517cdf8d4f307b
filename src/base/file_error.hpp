#pragma once

#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <string_view>

#include "base/error.hpp"

namespace latchkey {

/// "cannot open /srv/latchkey/latchkey.db: Permission denied"; `error` is an errno.
inline Error cannot(std::string_view what, const std::filesystem::path& path, int error) {
  return Error(ErrorCode::unavailable, fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(error)));
}

}  // namespace latchkey
