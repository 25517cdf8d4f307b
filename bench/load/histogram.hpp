#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace latchkey::bench {

/// Latencies in nanoseconds in buckets of at most 3 % width: 32 to each doubling.
class Histogram {
 public:
  void add(std::uint64_t nanoseconds, std::uint64_t times = 1) {
    counts_[index_of(nanoseconds)] += times;
    total_ += times;
  }

  /// The latency that `share` (0..1) of all stay below, in microseconds; 0 for none.
  double quantile_micros(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::uint32_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > wanted) return static_cast<double>(upper_bound_of(i)) / 1000.0;
    }
    return 0;
  }

 private:
  static constexpr std::uint32_t steps_log2 = 5;
  static constexpr std::uint32_t steps = 1U << steps_log2;

  static std::uint32_t index_of(std::uint64_t value) {
    if (value < steps) return static_cast<std::uint32_t>(value);
    const auto shift = static_cast<std::uint32_t>(std::bit_width(value)) - steps_log2 - 1;
    return (shift + 1) * steps + static_cast<std::uint32_t>((value >> shift) - steps);
  }
  static std::uint64_t upper_bound_of(std::uint32_t index) {
    if (index < steps) return index;
    const std::uint32_t shift = index / steps - 1;
    return (std::uint64_t{index % steps} + steps + 1) << shift;
  }

  std::array<std::uint64_t, 60 * steps> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace latchkey::bench
