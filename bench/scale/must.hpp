#pragma once

#include <fmt/format.h>

#include <stdexcept>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace latchkey::bench {

/// What is in it, or std::runtime_error.
template <class T>
T must(Result<T> result, const char* what) {
  if (!result) throw std::runtime_error(fmt::format("{}: {} {}", what, result.error().detail, result.error().internal));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline SystemClock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace latchkey::bench
