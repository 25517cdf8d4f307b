#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace latchkey::store::postgres {

/// When to try to connect next: soon after the first failure, then in ever longer pauses. One thread.
class BackOff {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds first_pause{20};
  static constexpr std::chrono::milliseconds longest_pause{1000};

  void failed(Time now) {
    if (!down_since_) down_since_ = now;
    next_ = now + pause_;
    pause_ = std::min(2 * pause_, longest_pause);
  }
  void succeeded() { *this = BackOff(); }

  /// Not before this moment.
  Time next() const { return next_; }
  /// Nothing has succeeded since; nullopt while all is well.
  std::optional<Time> down_since() const { return down_since_; }

 private:
  std::optional<Time> down_since_;
  Time next_{};
  std::chrono::milliseconds pause_ = first_pause;
};

}  // namespace latchkey::store::postgres
