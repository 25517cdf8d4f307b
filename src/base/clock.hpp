#pragma once

// Time is injected: the system's clock in the program, a ManualClock in tests and simulation.

#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>

namespace latchkey {

using Duration = std::chrono::nanoseconds;

/// Wall time, milliseconds since 1970-01-01T00:00:00Z. May step; never used to measure an interval.
struct UnixMillis {
  std::int64_t count = 0;
  auto operator<=>(const UnixMillis&) const = default;
  constexpr UnixMillis operator+(Duration d) const {
    return {count + std::chrono::duration_cast<std::chrono::milliseconds>(d).count()};
  }
  constexpr std::int64_t seconds() const { return count / 1000; }
};

/// CLOCK_BOOTTIME in nanoseconds: monotonic, counts suspended time, the same for every process of one boot.
struct BootTime {
  std::int64_t nanos = 0;
  auto operator<=>(const BootTime&) const = default;
  constexpr Duration operator-(BootTime other) const { return Duration(nanos - other.nanos); }
  constexpr BootTime operator+(Duration d) const { return {nanos + d.count()}; }
};

/// Any thread may call.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixMillis wall() const = 0;
  virtual BootTime boot() const = 0;
};

class SystemClock final : public Clock {
 public:
  UnixMillis wall() const override;
  BootTime boot() const override;
};

/// Stands still until told otherwise.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UnixMillis wall = {1'767'225'600'000}, BootTime boot = {1'000'000'000'000})
      : wall_(wall.count), boot_(boot.nanos) {}
  UnixMillis wall() const override { return {wall_.load()}; }
  BootTime boot() const override { return {boot_.load()}; }
  void advance(Duration d) {
    boot_ += d.count();
    wall_ += std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  }
  void set_wall(UnixMillis t) { wall_ = t.count; }

 private:
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> boot_;
};

}  // namespace latchkey
