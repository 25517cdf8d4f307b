#pragma once

// The clocks of what outlives the machine.
//
// Window time is boot time that goes on after a reboot where the ledger's last mark was, as though the machine had not
// been off. How long it was off only the wall clock knows, and what was admitted since must not grow older by what that
// says later; so time off does not count, and nothing is forgotten too early, by whichever clock.
//
// Period time is PeriodClock's.

#include <atomic>
#include <mutex>
#include <optional>

#include "base/clock.hpp"
#include "limit/local/ledger_format.hpp"
#include "limit/local/long_counters.hpp"
#include "limit/period_clock.hpp"
#include "limit/spin_lock.hpp"

namespace latchkey::limit {

/// Any thread may call any method.
class LongClock {
 public:
  /// `clock` outlives it. Without a mark: nothing was before.
  LongClock(const Clock& clock, std::uint64_t boot, const std::optional<LedgerMark>& left)
      : clock_(clock), boot_(boot), periods_(first(clock, boot, left)) {
    if (!left) return;
    const std::int64_t now_ns = clock.boot().nanos;
    const bool goes_on = left->boot == boot && left->boot_ns <= now_ns;
    offset_ns_ = left->window_ns - (goes_on ? left->boot_ns : now_ns);
  }

  LongNow now() {
    const UnixMillis wall = clock_.wall();
    const BootTime boot = clock_.boot();
    const std::lock_guard guard(lock_);
    return {boot.nanos + offset_ns_, periods_.now(wall, boot), wall};
  }
  /// Ten times a second.
  void observe() {
    const UnixMillis wall = clock_.wall();
    const BootTime boot = clock_.boot();
    const std::lock_guard guard(lock_);
    periods_.observe(wall, boot);
  }
  LedgerMark mark() {
    now();
    const std::lock_guard guard(lock_);
    const std::int64_t boot_ns = clock_.boot().nanos;
    return {.boot = boot_,
            .boot_ns = boot_ns,
            .window_ns = boot_ns + offset_ns_,
            .agreed_offset_ms = periods_.agreed_offset_ms(),
            .latest_period_ms = periods_.latest().count};
  }
  /// The wall clock is right, and what was seen of later times was not.
  void forget_period() {
    const std::lock_guard guard(lock_);
    periods_.forget(clock_.wall(), clock_.boot());
  }

 private:
  static PeriodClock first(const Clock& clock, std::uint64_t boot, const std::optional<LedgerMark>& left) {
    const UnixMillis wall = clock.wall();
    const BootTime now = clock.boot();
    if (!left) return PeriodClock::beginning(wall, now);
    const UnixMillis latest{left->latest_period_ms};
    const bool goes_on = left->boot == boot && left->boot_ns <= now.nanos;
    return goes_on ? PeriodClock::continued(left->agreed_offset_ms, latest, wall, now)
                   : PeriodClock::after_reboot(latest, wall, now);
  }
  const Clock& clock_;
  const std::uint64_t boot_;
  SpinLock lock_;
  PeriodClock periods_;         // guarded by lock_
  std::int64_t offset_ns_ = 0;  // guarded by lock_: window time − boot time
};

}  // namespace latchkey::limit
