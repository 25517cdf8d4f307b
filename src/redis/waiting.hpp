#pragma once

// What the plain and the TLS half of a channel share.

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "base/error.hpp"

namespace latchkey::redis {

/// Waits until poll(2) says so; false: not before `until`.
inline bool is_ready(int socket, short events, std::chrono::steady_clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  pollfd waited{socket, events, 0};
  return ::poll(&waited, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000))) > 0;
}

/// `why` is for the operator's log.
inline Error unreachable(std::string why) {
  return Error(ErrorCode::unavailable, "the shared store cannot be reached", std::move(why));
}

}  // namespace latchkey::redis
