#pragma once

// How often one thing is said on the operator's log: what a stranger can cause must not fill it.

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace latchkey {

/// Lets `burst` lines through, and then one each `every`. Any thread may call.
class LogThrottle {
 public:
  explicit LogThrottle(Duration every = std::chrono::seconds(1), std::uint64_t burst = 5)
      : every_(every), burst_(burst), left_(burst) {}

  /// nullopt: hold the line back. Else say it; the number is that of lines held back since the last one.
  std::optional<std::uint64_t> pass(BootTime now) {
    const MutexLock lock(mutex_);
    refill(now);
    if (left_ == 0) {
      ++held_back_;
      return std::nullopt;
    }
    --left_;
    const auto held_back = held_back_;
    held_back_ = 0;
    return held_back;
  }

 private:
  void refill(BootTime now) REQUIRES(mutex_) {
    const auto earned = static_cast<std::uint64_t>(std::max<std::int64_t>(0, (now - refilled_) / every_));
    if (earned == 0) return;
    left_ = std::min(burst_, left_ + std::min(burst_, earned));
    refilled_ = now;
  }

  Mutex mutex_;
  const Duration every_;
  const std::uint64_t burst_;
  std::uint64_t left_ GUARDED_BY(mutex_);
  std::uint64_t held_back_ GUARDED_BY(mutex_) = 0;
  BootTime refilled_ GUARDED_BY(mutex_){};
};

}  // namespace latchkey
