// The counters of ChargeBook: found, made, brought to the present, forgotten; and the store's TIME, for periods.

#include <algorithm>
#include <utility>

#include "limit/redis/charge_book.hpp"

namespace latchkey::limit::lease {
namespace {

constexpr auto counter_forgotten_after = std::chrono::seconds(10);

}  // namespace

ChargeBook::Entries ChargeBook::find(const Charge& charge) {
  Entries entries{};
  const BootTime now = clock_.boot();
  for (std::size_t i = 0; i < charge.limits.size(); ++i) {
    const auto known = entries_.find(charge.counter(charge.limits[i]));
    if (known == entries_.end()) continue;
    entries[i] = &known->second;
    come_to_present(*entries[i], now);
  }
  return entries;
}

ChargeBook::Entries ChargeBook::enter(const Charge& charge) {
  Entries entries{};
  const BootTime now = clock_.boot();
  for (std::size_t i = 0; i < charge.limits.size(); ++i) {
    const ActiveLimit& limit = charge.limits[i];
    const CounterId id = charge.counter(limit);
    const auto [at, added] = entries_.try_emplace(id);
    Entry& entry = at->second;
    const bool is_older = limit.epoch == entry.limit.epoch && limit.version < entry.limit.version;
    if (added) {
      entry.id = id;
      entry.lease = KeyLease(config_.clock_drift, Span{.window_seconds = limit.window_seconds});
    }
    if (added || !is_older) entry.limit = limit;
    entry.used = now;
    come_to_present(entry, now);
    entries[i] = &entry;
  }
  return entries;
}

/// A period that was entered anywhere is never left for an earlier one.
void ChargeBook::come_to_present(Entry& entry, BootTime now) {
  if (entry.limit.calendar == nullptr) return;
  PeriodBounds bounds = entry.limit.calendar->at(store_time(now));
  if (entry.entered_ms > bounds.start.count) {
    const PeriodBounds later = entry.limit.calendar->at({entry.entered_ms});
    if (later.start.count == entry.entered_ms) bounds = later;
  }
  entry.lease.enter(bounds);
}

/// The store's TIME, at least, as far as it is believed.
UnixMillis ChargeBook::store_time(BootTime now) const {
  if (!period_clock_) return clock_.wall();
  const auto passed = static_cast<double>((now - store_raw_at_).count()) / (1 + config_.clock_drift);
  PeriodClock clock = *period_clock_;
  return clock.now({store_raw_.count + static_cast<std::int64_t>(passed / 1e6)}, now);
}

void ChargeBook::saw(const Reply& reply, BootTime now) {
  if (reply.raw_ms == 0) return;
  store_raw_ = {reply.raw_ms};
  store_raw_at_ = now;
  if (!period_clock_) period_clock_ = PeriodClock::beginning(store_raw_, now);
  period_clock_->observe(store_raw_, now);
  period_clock_->now(store_raw_, now);
}

void ChargeBook::forget_idle(std::size_t buckets) {
  const BootTime now = clock_.boot();
  for (std::size_t looked_at = 0; looked_at < buckets; ++looked_at) {
    if (++sweep_position_ >= entries_.bucket_count()) sweep_position_ = 0;
    for (auto each = entries_.begin(sweep_position_); each != entries_.end(sweep_position_);) {
      const Entry& idle = each->second;
      const bool stays = idle.is_due || idle.is_leased || !idle.waiters.empty() || idle.lease.asking() ||
                         idle.lease.holds_lease(now) || idle.lease.holds_unspent(now) || idle.lease.remembers(now) ||
                         (!idle.lease.span().is_long() && idle.lease.refuses(now)) ||
                         now - idle.used < counter_forgotten_after;
      const CounterId id = idle.id;
      ++each;
      if (!stays) entries_.erase(id);
    }
  }
}

}  // namespace latchkey::limit::lease
