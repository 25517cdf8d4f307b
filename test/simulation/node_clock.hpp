#pragma once

#include <optional>

#include "world.hpp"

namespace latchkey::simulation {

/// A machine's clocks: CLOCK_BOOTTIME runs at a rate of its own from a beginning of its own; wall time may step as
/// well.
class NodeClock final : public Clock {
 public:
  NodeClock(World& world, double rate, BootTime boot)
      : world_(&world), rate_(rate), begun_(world.now()), boot_(boot), wall_{1'767'225'600'000} {}

  BootTime boot() const override {
    if (frozen_) return *frozen_;
    if (stall_) world_->stall(*std::exchange(stall_, std::nullopt));
    return boot_ + elapsed();
  }
  UnixMillis wall() const override { return wall_ + elapsed(); }
  /// True time at which boot() was, or will be, `boot`.
  Time true_time(BootTime boot) const {
    return begun_ + Duration(static_cast<std::int64_t>(static_cast<double>((boot - boot_).count()) / rate_));
  }
  void step_wall(Duration by) { wall_ = wall_ + by; }

  /// The machine stands still for so long before the clock is read next.
  void stall_before_next_read(Duration duration) { stall_ = duration; }
  void calm() { stall_.reset(); }
  /// Reads of the clock give this, until thaw().
  void freeze(BootTime time) { frozen_ = time; }
  void thaw() { frozen_.reset(); }

 private:
  Duration elapsed() const {
    return Duration(static_cast<std::int64_t>(static_cast<double>((world_->now() - begun_).count()) * rate_));
  }

  World* world_;
  double rate_;
  Time begun_;
  BootTime boot_;
  UnixMillis wall_;
  mutable std::optional<Duration> stall_;
  std::optional<BootTime> frozen_;
};

}  // namespace latchkey::simulation
