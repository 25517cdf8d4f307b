#pragma once

// A sliding window of W seconds is cut into 60 ticks of W/60. Whole numbers only, and exact: the tick of an instant is
// ⌊t · 60 / W⌋ for t in nanoseconds, for any W in seconds.
//
// Why 61 ticks are enough for any W: an interval of length W that begins in tick a ends before a + 61 begins, since
// t ≤ t₀ + W makes t · 60/W ≤ t₀ · 60/W + 60. So all of its admissions lie in 61 ticks in a row (limit/buckets.hpp).

#include <cstdint>

namespace latchkey::limit {

class TickScale {
 public:
  /// 1 to 86,400.
  explicit constexpr TickScale(std::uint32_t window_seconds) : step_(std::int64_t{window_seconds} * 50'000'000) {}

  /// Nanoseconds since boot, not negative, of at most 97 years.
  constexpr std::uint64_t tick_of(std::int64_t nanos) const { return static_cast<std::uint64_t>(nanos * 3 / step_); }
  /// The first nanosecond of a tick.
  constexpr std::int64_t beginning_of(std::uint64_t tick) const {
    return (static_cast<std::int64_t>(tick) * step_ + 2) / 3;
  }

 private:
  std::int64_t step_;  // of three ticks' sixtieth: W · 10⁹ · 3 / 60
};

}  // namespace latchkey::limit
