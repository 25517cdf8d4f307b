#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "limit/redis/lease_protocol.hpp"

namespace latchkey::limit::lease {

/// A replica's witness of the store's raw clock: how far it is ahead of CLOCK_BOOTTIME. Every call carries what it
/// vouches for, so that the store can tell a step of its clock from time that passed.
///
/// The difference is known from each reply to within the round trip. The largest lower bound is kept; it rises no
/// faster than clocks drift, so steps too small to be seen do not add up. Once the store knows of a step, it is learnt
/// anew, from a quick answer: what is known badly would make time that passed look like a step.
class StoreWatch {
 public:
  explicit StoreWatch(double clock_drift = drift) : drift_(clock_drift) {}

  /// Fills in what `caller` can vouch for in a call that is sent at `sent`.
  void vouch(Caller& caller, BootTime sent) const {
    caller.vouched_ms = ahead_ms_ ? millis(sent) + *ahead_ms_ : -1;
    caller.steps = steps_;
    caller.insists = insists_;
  }

  /// A call was sent at `sent`, executed when the store's raw clock showed `raw_ms`, and answered at `received`.
  /// `certain`: not in doubt there.
  void saw(std::int64_t raw_ms, std::uint64_t steps, bool certain, BootTime sent, BootTime received) {
    const std::int64_t least = raw_ms - millis(received) - 1;
    const std::int64_t most = raw_ms - millis(sent) + 1;
    const bool knows = ahead_ms_ && steps == steps_;
    insists_ = !certain && (!knows || least - *ahead_ms_ > step_tolerance_ms / 2);
    if (!certain) return;
    if (!knows) {
      forget();
      steps_ = steps;
      if (most - least <= step_tolerance_ms / 2) set(least, received);
      return;
    }
    const auto drifted = static_cast<std::int64_t>(2 * drift_ * static_cast<double>(millis(received) - set_at_ms_));
    if (least > *ahead_ms_ && drifted > 0) set(std::min(least, *ahead_ms_ + drifted), received);
    if (most < *ahead_ms_) set(most, received);
  }

  /// The store has lost its memory, or is another one.
  void forget() { ahead_ms_.reset(); }

 private:
  static std::int64_t millis(BootTime time) { return time.nanos / 1'000'000; }
  void set(std::int64_t ahead_ms, BootTime now) {
    ahead_ms_ = ahead_ms;
    set_at_ms_ = millis(now);
  }

  double drift_;
  std::optional<std::int64_t> ahead_ms_;
  std::int64_t set_at_ms_ = 0;
  std::uint64_t steps_ = 0;
  bool insists_ = false;
};

}  // namespace latchkey::limit::lease
