#pragma once

// The time by which a machine alone decides in which calendar period it is. The wall clock says it, but it may be wrong: a dead
// battery, a bad time server, somebody's `date -s`.
//
//   12:00 on May 31; the wall clock leaps to June 2 and comes back after 3 minutes
//   → it stays May 31: June's budget is not opened, and May's is not opened a second time
//
//   12:00 on May 31; the wall clock leaps to June 2 and stays
//   → June begins ten minutes later
//
// Two rules. Time never goes back: a period that was entered is never left for an earlier one. And it goes no
// further than five minutes ahead of what the boot clock makes of the wall clock's last agreed reading, until the wall clock
// has agreed with itself, that is, has run beside the boot clock within a second, for ten minutes.
//
// A wall clock that is wrong for longer than that is believed. The way out is forget().

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"

namespace latchkey::limit {

/// Pure. One thread at a time.
class PeriodClock {
 public:
  static constexpr Duration agrees_after = std::chrono::minutes(10);
  static constexpr std::int64_t agrees_within_ms = 1'000;
  static constexpr std::int64_t ahead_ms = 5 * 60 * 1'000;

  /// Nothing is known of before: the wall clock is believed.
  static PeriodClock beginning(UnixMillis wall, BootTime boot) { return {wall.count - ms(boot), wall, wall, boot}; }
  /// Another process of this boot left these.
  static PeriodClock continued(std::int64_t agreed_offset_ms, UnixMillis latest, UnixMillis wall, BootTime boot) {
    return {agreed_offset_ms, latest, wall, boot};
  }
  /// The machine has started since: it goes on where it was, until the wall clock has agreed with itself.
  static PeriodClock after_reboot(UnixMillis latest, UnixMillis wall, BootTime boot) {
    return {latest.count - ms(boot), latest, wall, boot};
  }

  /// To be called at least once a second or so; else the wall clock only takes longer to be believed.
  void observe(UnixMillis wall, BootTime boot) {
    const std::int64_t offset = wall.count - ms(boot);
    if (offset - candidate_ms_ > agrees_within_ms || candidate_ms_ - offset > agrees_within_ms) {
      candidate_ms_ = offset;
      candidate_since_ = boot;
    }
    if (boot - candidate_since_ >= agrees_after) agreed_ms_ = offset;
  }

  /// Never before an earlier answer.
  UnixMillis now(UnixMillis wall, BootTime boot) {
    latest_ = std::max(latest_, std::min(wall, UnixMillis{ms(boot) + agreed_ms_ + ahead_ms}));
    return latest_;
  }

  /// An operator says that the wall clock is right now, and what was seen of later times was not.
  void forget(UnixMillis wall, BootTime boot) { *this = beginning(wall, boot); }

  UnixMillis latest() const { return latest_; }
  std::int64_t agreed_offset_ms() const { return agreed_ms_; }

 private:
  PeriodClock(std::int64_t agreed_ms, UnixMillis latest, UnixMillis wall, BootTime boot)
      : agreed_ms_(agreed_ms), candidate_ms_(wall.count - ms(boot)), candidate_since_(boot), latest_(latest) {}
  static std::int64_t ms(BootTime boot) { return boot.nanos / 1'000'000; }

  std::int64_t agreed_ms_;     // wall clock − boot clock, as last agreed
  std::int64_t candidate_ms_;  // the same, as it has been since candidate_since_
  BootTime candidate_since_;
  UnixMillis latest_;
};

}  // namespace latchkey::limit
