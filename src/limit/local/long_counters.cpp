#include "limit/local/long_counters.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "limit/period_clock.hpp"
#include "limit/tick_scale.hpp"

namespace latchkey::limit {
namespace {

constexpr std::uint32_t most_units = std::numeric_limits<std::uint32_t>::max();

std::uint32_t sum(std::uint32_t a, std::uint32_t b) { return b > most_units - a ? most_units : a + b; }

std::uint16_t second_of(const LongNow& now) { return static_cast<std::uint16_t>(now.window_ns / 1'000'000'000); }

// What the two kinds have in common: the newest slot, what was taken in it, and in all.

std::uint32_t slot_of(const PeriodCounter& counter) { return counter.slot; }
std::uint32_t slot_of(const WindowCounter& counter) { return counter.buckets.newest; }
std::uint32_t taken_now(const PeriodCounter& counter) { return counter.taken; }
std::uint32_t taken_now(const WindowCounter& counter) { return counter.buckets.at(counter.buckets.newest); }
std::uint32_t used(const PeriodCounter& counter) { return counter.taken; }
std::uint32_t used(const WindowCounter& counter) { return counter.buckets.used(); }
LongKind kind_of(const PeriodCounter& counter) { return LongKind::of(static_cast<PeriodUnit>(counter.aside.unit)); }
LongKind kind_of(const WindowCounter& counter) { return LongKind::window(counter.window_seconds); }

void take_units(PeriodCounter& counter, std::uint32_t units) {
  counter.taken = sum(counter.taken, units);
  if (counter.carry_slot != 0) counter.carry = sum(counter.carry, units);
}
void take_units(WindowCounter& counter, std::uint32_t units) {
  counter.buckets.take(counter.buckets.newest, std::min(units, most_units - counter.buckets.used()));
}

std::uint32_t start_of(const ActiveLimit& limit, const LongNow& now) {
  return static_cast<std::uint32_t>(limit.calendar->at(now.period).start.seconds());
}

/// A period that began later than this one, by other rules of the zone or another clock, stays.
void advance(PeriodCounter& counter, const ActiveLimit& limit, const LongNow& now) {
  const std::uint32_t start = start_of(limit, now);
  if (start <= counter.slot) return;
  counter.slot = start;
  counter.taken = counter.carry_slot == start ? counter.carry : 0;
  counter.carry = 0;
  counter.carry_slot = 0;
  counter.aside.reserved = 0;
}

void note_lag(PeriodCounter& counter, const ActiveLimit& limit, const LongNow& now) {
  const bool lags = now.wall >= limit.calendar->at(now.period).end;
  const auto slot = lags ? static_cast<std::uint32_t>(limit.calendar->at(now.wall).start.seconds()) : 0;
  if (std::exchange(counter.carry_slot, slot) != slot) counter.carry = 0;
}

void note_lag(WindowCounter&, const ActiveLimit&, const LongNow&) {}

void advance(WindowCounter& counter, const LongNow& now) {
  const auto tick = static_cast<std::uint32_t>(TickScale(counter.window_seconds).tick_of(now.window_ns));
  if (tick <= counter.buckets.newest) return;
  counter.buckets.advance(tick);
  counter.aside.reserved = 0;
}

void advance(WindowCounter& counter, const ActiveLimit&, const LongNow& now) { advance(counter, now); }

/// Until `units` fit again. Where the wall clock is in the next period already, that one begins within ten minutes, with
/// the carry in it.
std::int64_t until_end(const PeriodCounter& counter, const ActiveLimit& limit, const LongNow& now,
                       std::uint32_t units) {
  const UnixMillis end = limit.calendar->at(now.period).end;
  if (now.wall < end) return (end.count - std::min(now.period, now.wall).count) * 1'000'000;
  if (std::uint64_t{counter.carry} + units <= limit.requests) return PeriodClock::agrees_after.count();
  return (limit.calendar->at(now.wall).end.count - now.wall.count) * 1'000'000;
}

/// Until `units` of what is used have left the window.
std::int64_t until_returned(const WindowCounter& counter, std::uint64_t units, const LongNow& now) {
  const auto ticks = counter.buckets.ticks_until_returned(static_cast<std::uint32_t>(units));
  const TickScale scale(counter.window_seconds);
  return scale.beginning_of(std::uint64_t{counter.buckets.newest} + ticks) - now.window_ns;
}

Fit fit_of(const PeriodCounter& counter, const ActiveLimit& limit, const LongNow& now, std::uint32_t cost) {
  Fit fit{.fits = std::uint64_t{counter.taken} + cost <= limit.requests, .used = counter.taken};
  if (counter.taken > 0) fit.reset_ns = until_end(counter, limit, now, 1);
  if (!fit.fits) fit.wait_ns = until_end(counter, limit, now, cost);
  return fit;
}

Fit fit_of(const WindowCounter& counter, const ActiveLimit& limit, const LongNow& now, std::uint32_t cost) {
  const std::uint64_t in_use = counter.buckets.used();
  Fit fit{.fits = in_use + cost <= limit.requests, .used = in_use};
  if (in_use == 0) return fit;
  const std::uint64_t over = in_use < limit.requests ? 0 : in_use - limit.requests;
  fit.reset_ns = until_returned(counter, over + (in_use == over ? 0 : 1), now);
  if (!fit.fits) fit.wait_ns = until_returned(counter, std::min(in_use + cost - limit.requests, in_use), now);
  return fit;
}

}  // namespace

void SetAside::count(std::uint16_t now_second, std::uint32_t units) {
  if (now_second != second) {
    before = static_cast<std::uint16_t>(second + 1) == now_second ? recent : 0;
    recent = 0;
    second = now_second;
  }
  recent = static_cast<std::uint16_t>(std::min<std::uint32_t>(sum(recent, units), 0xffff));
}

std::uint32_t SetAside::rate(std::uint16_t now_second) const {
  const auto age = static_cast<std::uint16_t>(now_second - second);
  if (age > 1) return 0;
  return age == 1 ? recent : std::max(recent, before);
}

PeriodCounter& LongCounters::period(const CounterId& id, const ActiveLimit& limit) {
  if (PeriodCounter* known = periods_.find(id)) return *known;
  PeriodCounter& fresh = periods_.insert(id);
  fresh.aside.unit = static_cast<std::uint8_t>(limit.calendar->unit());
  return fresh;
}

WindowCounter& LongCounters::window(const CounterId& id, const ActiveLimit& limit) {
  if (WindowCounter* known = windows_.find(id)) return *known;
  WindowCounter& fresh = windows_.insert(id);
  fresh.window_seconds = limit.window_seconds;
  return fresh;
}

bool LongCounters::knows(const CounterId& id, const ActiveLimit& limit) {
  return limit.calendar != nullptr ? periods_.find(id) != nullptr : windows_.find(id) != nullptr;
}

Fit LongCounters::fit(const CounterId& id, const ActiveLimit& limit, const LongNow& now, std::uint32_t cost) {
  const auto of = [&](auto* counter) {
    if (counter == nullptr) {
      return Fit{.fits = cost <= limit.requests, .is_set_aside = !durable_ || cost == 0 || limit.observe};
    }
    advance(*counter, limit, now);
    Fit fit = fit_of(*counter, limit, now, cost);
    fit.is_set_aside =
        !durable_ || cost == 0 || limit.observe || std::uint64_t{taken_now(*counter)} + cost <= counter->aside.reserved;
    return fit;
  };
  return limit.calendar != nullptr ? of(periods_.find(id)) : of(windows_.find(id));
}

/// `most`: what may be taken in the newest slot, at most.
template <class Counter>
void LongCounters::want_more(Counter& counter, const ActiveLimit& limit, std::uint32_t most) {
  SetAside& aside = counter.aside;
  const std::uint32_t taken = taken_now(counter);
  const std::uint32_t others = used(counter) - taken;
  const std::uint32_t room = limit.observe ? most_units : limit.requests - std::min(limit.requests, others);
  aside.target = std::max(taken, std::min(most, room));
  if (!std::exchange(aside.queued, true)) queued_.push_back({counter.id, kind_of(counter).is_period()});
}

template <class Counter>
bool LongCounters::count(Counter& counter, const ActiveLimit& limit, const LongNow& now, std::uint32_t cost) {
  advance(counter, limit, now);
  note_lag(counter, limit, now);
  take_units(counter, cost);
  counter.aside.count(second_of(now), cost);
  if (!durable_ || counter.aside.queued || cost == 0) return false;
  const std::uint32_t taken = taken_now(counter);
  const std::uint32_t ahead = std::min(limit.requests / 100, counter.aside.rate(second_of(now)));
  const std::uint32_t left = counter.aside.reserved - std::min(counter.aside.reserved, taken);
  const bool must_catch_up = taken > counter.aside.reserved;  // it only observes, and nobody waited
  if (!must_catch_up && (ahead < 2 || left >= ahead / 2)) return false;
  want_more(counter, limit, sum(taken, ahead));
  return true;
}

bool LongCounters::take(const CounterId& id, const ActiveLimit& limit, const LongNow& now, std::uint32_t cost) {
  return limit.calendar != nullptr ? count(period(id, limit), limit, now, cost)
                                   : count(window(id, limit), limit, now, cost);
}

void LongCounters::want(const CounterId& id, const ActiveLimit& limit, const LongNow& now, std::uint32_t cost) {
  const auto more = [&](auto& counter) {
    advance(counter, limit, now);
    note_lag(counter, limit, now);
    const std::uint32_t taken = taken_now(counter);
    const std::uint32_t asked = counter.aside.queued ? std::max(counter.aside.target, taken) : taken;
    const std::uint32_t ahead = std::min(limit.requests / 100, counter.aside.rate(second_of(now)));
    want_more(counter, limit, std::max(sum(asked, cost), sum(taken, ahead)));
  };
  limit.calendar != nullptr ? more(period(id, limit)) : more(window(id, limit));
}

namespace {

/// What the newest slot shall hold, as the ledger is to know it.
LedgerSet set_of(const PeriodCounter& counter, std::uint32_t units) {
  const std::uint32_t unspent = counter.carry_slot != 0 && units > counter.taken ? units - counter.taken : 0;
  return {counter.id, kind_of(counter), counter.slot, units, sum(counter.carry, unspent), counter.carry_slot};
}
LedgerSet set_of(const WindowCounter& counter, std::uint32_t units) {
  return {counter.id, kind_of(counter), counter.buckets.newest, units, 0, 0};
}

void add_set(std::vector<LedgerSet>& sets, PeriodCounter& counter) {
  sets.push_back(set_of(counter, counter.aside.target));
}

/// What was set aside in a slot before, and not taken, is told as what it was.
void add_set(std::vector<LedgerSet>& sets, WindowCounter& counter) {
  const Buckets& buckets = counter.buckets;
  const std::uint32_t old = counter.outstanding;
  if (old != 0 && old != buckets.newest && buckets.newest - old < Buckets::count) {
    sets.push_back({counter.id, kind_of(counter), old, buckets.at(old), 0, 0});
  }
  sets.push_back(set_of(counter, counter.aside.target));
  counter.outstanding = buckets.newest;
}

}  // namespace

void LongCounters::gather(std::vector<LedgerSet>& sets) {
  const auto add = [&](auto* counter) {
    if (counter == nullptr) return;
    counter->aside.queued = false;
    if (counter->aside.target > counter->aside.reserved) add_set(sets, *counter);
  };
  for (const Queued& each : queued_) each.is_period ? add(periods_.find(each.id)) : add(windows_.find(each.id));
  queued_.clear();
}

void LongCounters::reserved(const LedgerSet& set) {
  const auto publish = [&](auto* counter) {
    if (counter == nullptr || slot_of(*counter) != set.slot) return;
    counter->aside.reserved = std::max(counter->aside.reserved, set.units);
  };
  set.kind.is_period() ? publish(periods_.find(set.counter)) : publish(windows_.find(set.counter));
}

void LongCounters::describe(std::string& records, bool exactly) {
  const auto newest = [&](auto& counter) {
    const std::uint32_t units = exactly ? taken_now(counter) : std::max(taken_now(counter), counter.aside.reserved);
    append_record(records, set_of(counter, units));
  };
  periods_.for_each(newest);
  windows_.for_each([&](WindowCounter& counter) {
    const Buckets& buckets = counter.buckets;
    const std::uint32_t first = std::max(buckets.oldest, buckets.newest - std::min(buckets.newest, Buckets::count - 1));
    for (std::uint32_t slot = first; slot < buckets.newest; ++slot) {
      const std::uint32_t units = buckets.at(slot);
      if (units > 0) append_record(records, LedgerSet{counter.id, kind_of(counter), slot, units, 0, 0});
    }
    newest(counter);
    counter.outstanding = buckets.newest;
  });
}

void LongCounters::adopt(const CounterId& id, const LedgerContent::Count& count) {
  if (count.kind.is_period()) {
    if (periods_.find(id) != nullptr) return;
    PeriodCounter& counter = periods_.insert(id);
    counter.aside.unit = static_cast<std::uint8_t>(count.kind.code & 3U);
    counter.slot = count.units.rbegin()->first;
    counter.taken = counter.aside.reserved = count.units.rbegin()->second;
    counter.carry = count.carry;
    counter.carry_slot = count.carry_slot;
    return;
  }
  if (windows_.find(id) != nullptr) return;
  WindowCounter& counter = windows_.insert(id);
  counter.window_seconds = count.kind.window_seconds();
  for (const auto& [slot, units] : count.units) {
    counter.buckets.advance(slot);
    counter.buckets.take(slot, std::min(units, most_units - counter.buckets.used()));
  }
  counter.aside.reserved = taken_now(counter);
  counter.outstanding = counter.buckets.newest;
}

void LongCounters::sweep(std::uint32_t places, const LongNow& now) {
  constexpr std::int64_t day = 24 * 60 * 60;
  static constexpr std::int64_t longest[] = {3 * day, 9 * day, 33 * day};  // of each unit, and what a zone may shift
  periods_.sweep(places, [&](const PeriodCounter& counter) {
    return !counter.aside.queued && now.period.seconds() - counter.slot > longest[counter.aside.unit];
  });
  windows_.sweep(places, [&](const WindowCounter& counter) {
    const auto tick = TickScale(counter.window_seconds).tick_of(now.window_ns);
    return !counter.aside.queued && tick > std::uint64_t{counter.buckets.newest} + Buckets::count;
  });
}

}  // namespace latchkey::limit
