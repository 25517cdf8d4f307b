#pragma once

// How long to wait before what failed is tried again.

#include <algorithm>
#include <chrono>
#include <optional>

namespace latchkey {

/// Failures in a row and the pause after each: `first`, doubling up to `longest`. With 20 ms and 1 s: 20, 40, 80, 160,
/// 320, 640, 1000, 1000 … One thread.
class RetryBackoff {
 public:
  using Pause = std::chrono::milliseconds;
  explicit RetryBackoff(Pause first = Pause(20), Pause longest = Pause(1000)) : first_(first), longest_(longest) {}

  /// One more failure. The pause after it.
  Pause failed() {
    const unsigned doublings = std::min(in_a_row_++, 16U);
    return std::min(first_ * (1 << doublings), longest_);
  }
  /// The same, but the count stays below `limit`: a failure that is expected for now, and need not be reported as many
  /// in a row are.
  Pause failed_below(unsigned limit) {
    in_a_row_ = std::min(in_a_row_, limit - 2);
    return failed();
  }
  void succeeded() { in_a_row_ = 0; }
  unsigned in_a_row() const { return in_a_row_; }

 private:
  Pause first_;
  Pause longest_;
  unsigned in_a_row_ = 0;
};

/// The same on a clock: when the next attempt may be made. `Time`: BootTime, or a std::chrono time point. One thread.
template <class Time>
class NextAttempt {
 public:
  void failed(Time now) {
    if (!down_since_) down_since_ = now;
    next_ = now + backoff_.failed();
  }
  void succeeded() { *this = NextAttempt(); }

  /// Not before this moment.
  Time next() const { return next_; }
  bool may_try(Time now) const { return now >= next_; }
  /// Nothing has succeeded since; nullopt while all is well.
  std::optional<Time> down_since() const { return down_since_; }

 private:
  RetryBackoff backoff_;
  std::optional<Time> down_since_;
  Time next_{};
};

}  // namespace latchkey
