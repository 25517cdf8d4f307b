#pragma once

// The counts that must outlive the machine: windows longer than a minute, and periods. One shard's; one thread at a time.
//
//   memory   taken: exactly what was admitted, in each slot (a tick of the window; the period)
//   ledger   reserved: what may be admitted in the newest slot without a word to the disk; always ≥ taken
//
//   request of cost 1: taken 4 of 1,000, reserved 4  → fits, but is not set aside: want(), and wait for the next sync
//   the ledger says 7 (three have come together)     → reserved 7: the three are admitted, taken 7
//   power cut                                        → 7 were admitted, says the ledger
//
// What is reserved and not taken is lost in an unclean stop, and nothing else is. It is never more than the waiting requests
// have asked for, or what was admitted in the last second, or a hundredth of the limit: a slow counter has none.
// A reservation is for one slot; what is left of a slot that has ended is free again, and the ledger hears what was
// really taken with the next reservation (`outstanding`).

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "limit/active_limit.hpp"
#include "limit/buckets.hpp"
#include "limit/fit.hpp"
#include "limit/local/counter_pool.hpp"
#include "limit/local/ledger_format.hpp"
#include "limit/sliding_window.hpp"

namespace latchkey::limit {

/// One moment, by the clocks that long counters go by.
struct LongNow {
  std::int64_t window_ns = 0;  // never goes back, not even over a reboot
  UnixMillis period;           // PeriodClock
  UnixMillis wall;
};

/// What is reserved of one counter, and how fast it is used.
struct SetAside {
  std::uint32_t reserved = 0;  // in the newest slot, durable
  std::uint32_t target = 0;    // what it shall be, where `queued`
  std::uint16_t second = 0;    // of `recent`, mod 2¹⁶
  std::uint16_t recent = 0;    // admitted in that second
  std::uint16_t before = 0;    // admitted in the second before it
  bool queued = false;
  std::uint8_t unit = 0;  // of a period: PeriodUnit

  void count(std::uint16_t now_second, std::uint32_t units);
  std::uint32_t rate(std::uint16_t now_second) const;
};

struct PeriodCounter {
  CounterId id;
  SetAside aside;
  std::uint32_t slot = 0;  // the period's start, seconds since 1970
  std::uint32_t taken = 0;
  // Of it, what came while the wall clock was in a later period already and was not believed yet (limit/period_clock.hpp):
  // it counts in that period as well.
  std::uint32_t carry = 0;
  std::uint32_t carry_slot = 0;  // that period; 0: the wall clock is in this one
};
static_assert(sizeof(PeriodCounter) == 56);

struct WindowCounter {
  CounterId id;
  SetAside aside;
  std::uint32_t window_seconds = 0;
  std::uint32_t outstanding = 0;  // the slot of which the ledger may say more than was taken; 0: none
  Buckets buckets;
};
static_assert(sizeof(WindowCounter) == 304);

class LongCounters {
 public:
  static bool is_long(const ActiveLimit& limit) {
    return limit.calendar != nullptr || limit.window_seconds > SlidingWindow::longest_seconds;
  }

  /// Before all else. Not durable: nothing outlives the process, and all that fits counts as set aside.
  void use(CounterRoom& room, bool durable) {
    durable_ = durable;
    periods_.storage().use(room);
    windows_.storage().use(room);
  }

  Fit fit(const CounterId& id, const ActiveLimit& limit, const LongNow& now, std::uint32_t cost);
  bool knows(const CounterId& id, const ActiveLimit& limit);
  /// True: the ledger should hear of it soon.
  bool take(const CounterId& id, const ActiveLimit& limit, const LongNow& now, std::uint32_t cost);
  /// The next gather() shall set aside so much more, as far as the limit has room.
  void want(const CounterId& id, const ActiveLimit& limit, const LongNow& now, std::uint32_t cost);

  bool wants_any() const { return !queued_.empty(); }
  /// Adds what the ledger shall say for the counters that want more; empties the queue.
  void gather(std::vector<LedgerSet>& sets);
  /// The ledger says so now.
  void reserved(const LedgerSet& set);
  /// All counters as the ledger shall know them. `exactly`: what is reserved and not taken is given up; nobody may take
  /// afterwards.
  void describe(std::string& records, bool exactly);
  /// What an earlier ledger says of a counter that is not known yet. All of it counts as taken.
  void adopt(const CounterId& id, const LedgerContent::Count& count);

  std::size_t size() const { return periods_.size() + windows_.size(); }
  void sweep(std::uint32_t places, const LongNow& now);

 private:
  struct Queued {
    CounterId id;
    bool is_period;
  };
  PeriodCounter& period(const CounterId& id, const ActiveLimit& limit);
  WindowCounter& window(const CounterId& id, const ActiveLimit& limit);
  template <class Counter>
  bool count(Counter& counter, const ActiveLimit& limit, const LongNow& now, std::uint32_t cost);
  template <class Counter>
  void want_more(Counter& counter, const ActiveLimit& limit, std::uint32_t most);

  bool durable_ = false;
  CounterPool<PeriodCounter> periods_;
  CounterPool<WindowCounter> windows_;
  std::vector<Queued> queued_;
};

}  // namespace latchkey::limit
