#pragma once

// What ChargeBook holds: a counter with its lease, and a request that waits. In charge_book.hpp.

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "limit/redis/key_lease.hpp"

namespace latchkey::limit::lease {

struct ChargeWaiter {
  ChargeWaiter(const Charge& of, BootTime at, RateLimiter::VerdictLater later)
      : charge(of), since(at), done(std::move(later)) {}
  KeptCharge charge;
  BootTime since;
  RateLimiter::VerdictLater done;
  bool is_decided = false;
};

struct ChargeEntry {
  CounterId id;
  KeyLease lease;
  ActiveLimit limit;                                   // as it was named last, of one epoch the newest
  std::vector<std::shared_ptr<ChargeWaiter>> waiters;  // each of them in every counter of its limits
  BootTime used{};
  std::int64_t entered_ms = 0;  // the latest period that the store has said was entered
  std::uint32_t wrong_bounds = 0;
  bool is_due = false;     // in due_
  bool is_leased = false;  // in leased_
};

/// As the store knows a limit.
inline Limit named(const ActiveLimit& limit) {
  return {.requests_per_minute = limit.requests, .version = limit.version, .epoch = limit.epoch};
}

inline KeyLease::State state_of(const ChargeEntry* entry, const ActiveLimit& limit, std::uint32_t units, BootTime now) {
  return entry == nullptr ? KeyLease::State::unknown : entry->lease.state(named(limit), units, now);
}

/// Nobody knows here whether this limit refuses as well, and for longer than `seconds`.
inline bool may_wait_longer(const ChargeEntry* entry, const ActiveLimit& limit, std::uint32_t seconds, BootTime now) {
  if (limit.observe) return false;
  if (entry != nullptr && (entry->lease.is_fresh(now) || entry->lease.refuses(now))) return false;
  const bool is_bounded = limit.calendar == nullptr;
  return !is_bounded || seconds < limit.window_seconds + limit.window_seconds / 60 + 2;
}

/// It can never pass.
inline std::optional<Verdict> exceeds_a_limit(const Charge& charge) {
  Verdict verdict{.outcome = Outcome::cost_exceeds_limit, .count = charge.limits.size()};
  bool one_refuses = false;
  for (std::size_t i = 0; i < charge.limits.size(); ++i) {
    const ActiveLimit& limit = charge.limits[i];
    verdict.standings[i].refuses = !limit.observe && charge.cost > limit.requests;
    one_refuses = one_refuses || verdict.standings[i].refuses;
  }
  return one_refuses ? std::optional(verdict) : std::nullopt;
}

}  // namespace latchkey::limit::lease
