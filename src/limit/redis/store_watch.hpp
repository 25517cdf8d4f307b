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
/// anew, from a quick answer: an imprecise estimate would make elapsed time look like a step.
///
/// It witnesses the calls that the store has executed as well: one that says fewer later on has forgotten some.
class StoreWatch {
 public:
  explicit StoreWatch(double clock_drift = drift) : drift_(clock_drift) {}

  /// Fills in what `caller` knows in a call that is sent at `sent`.
  void vouch(Caller& caller, BootTime sent) const {
    caller.vouched_ms = ahead_ms_ ? millis(sent) + *ahead_ms_ : -1;
    caller.steps = steps_;
    caller.calls = calls_;
    caller.confirms_clock_step = confirms_clock_step_;
  }

  /// What the store said of itself in the reply to a call that was sent at `sent` and answered at `received`.
  void saw(const Reply& reply, BootTime sent, BootTime received) {
    const std::int64_t least = reply.raw_ms - millis(received) - 1;
    const std::int64_t most = reply.raw_ms - millis(sent) + 1;
    const bool knows = ahead_ms_ && reply.steps == steps_;
    calls_ = std::max(calls_, reply.calls);
    confirms_clock_step_ = !reply.certain && (!knows || least - *ahead_ms_ > step_tolerance_ms / 2);
    if (!reply.certain) return;
    if (!knows) {
      ahead_ms_.reset();
      steps_ = reply.steps;
      if (most - least <= step_tolerance_ms / 2) set(least, received);
      return;
    }
    const auto drifted = static_cast<std::int64_t>(2 * drift_ * static_cast<double>(millis(received) - set_at_ms_));
    if (least > *ahead_ms_ && drifted > 0) set(std::min(least, *ahead_ms_ + drifted), received);
    if (most < *ahead_ms_) set(most, received);
  }

  /// The store has lost its memory, or is another one.
  void forget() {
    ahead_ms_.reset();
    calls_ = 0;
  }

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
  std::uint64_t calls_ = 0;
  bool confirms_clock_step_ = false;
};

}  // namespace latchkey::limit::lease
