// The local engine's part in requests under several limits, and in what outlives the machine.

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/log.hpp"
#include "limit/local/local_limiter.hpp"

namespace latchkey::limit {

std::optional<Verdict> LocalLimiter::try_charge(const Charge& charge) {
  const auto decided = desk_.decide(charge, ChargeDesk::Then::take);
  if (decided.ledger_has_work) reserver_->wake();
  return decided.verdict;
}

void LocalLimiter::charge_later(const Charge& charge, VerdictLater done) {
  const auto decided = desk_.decide(charge, ChargeDesk::Then::want);
  if (decided.verdict) {
    if (decided.ledger_has_work) reserver_->wake();
    return done(*decided.verdict);
  }
  reserver_->wait_for(charge, std::move(done));
}

Verdict LocalLimiter::look(const Charge& charge) { return *desk_.decide(charge, ChargeDesk::Then::look).verdict; }

std::optional<Verdict> LocalLimiter::decide_or_want(const Charge& charge) {
  const auto decided = desk_.decide(charge, ChargeDesk::Then::want);
  if (decided.verdict && decided.ledger_has_work) reserver_->wake();  // of a limit that observes, or is used fast
  return decided.verdict;
}

void LocalLimiter::adopt_ledger(const LedgerContent& content) {
  for (std::size_t i = 0; i < Shards::count; ++i) shards_.counters[i].longs.use(room_, ledger_ != nullptr);
  for (const auto& [id, count] : content.counters) shards_.counters[Shards::number_of(id.owner)].longs.adopt(id, count);
}

void LocalLimiter::gather(std::vector<LedgerSet>& sets) {
  for (std::size_t i = 0; i < Shards::count; ++i) {
    const std::lock_guard guard(shards_.keys[i].lock);
    if (shards_.counters[i].longs.wants_any()) shards_.counters[i].longs.gather(sets);
  }
}

void LocalLimiter::publish(const std::vector<LedgerSet>& sets) {
  for (const LedgerSet& set : sets) {
    const std::size_t shard = Shards::number_of(set.counter.owner);
    const std::lock_guard guard(shards_.keys[shard].lock);
    shards_.counters[shard].longs.reserved(set);
  }
}

std::string LocalLimiter::describe(bool exactly) {
  std::string records;
  for (std::size_t i = 0; i < Shards::count; ++i) {
    const std::lock_guard guard(shards_.keys[i].lock);
    shards_.counters[i].longs.describe(records, exactly);
  }
  append_record(records, mark());
  return records;
}

std::size_t LocalLimiter::long_counters() const {
  std::size_t total = 0;
  for (std::size_t i = 0; i < Shards::count; ++i) {
    const std::lock_guard guard(shards_.keys[i].lock);
    total += shards_.counters[i].longs.size();
  }
  return total;
}

/// A few shards a call: all of them every 13 s, and a part of each.
void LocalLimiter::sweep_long() {
  constexpr std::size_t shards_a_call = 8;
  constexpr std::uint32_t places = 256;
  const LongNow now = long_clock_.now();
  for (std::size_t i = 0; i < shards_a_call; ++i) {
    const std::size_t shard = next_swept_++ % Shards::count;
    const std::lock_guard guard(shards_.keys[shard].lock);
    shards_.counters[shard].longs.sweep(
        std::min<std::uint32_t>(places, 4 + 2 * static_cast<std::uint32_t>(shards_.counters[shard].longs.size())), now);
  }
}

void LocalLimiter::warn_of_room() {
  const bool nearly_full = room_.is_nearly_full();
  if (nearly_full && !warned_of_room_) {
    log_warning(
        "limits: {} of {} counters are in use (LATCHKEY_LIMITER_MAX_COUNTERS); a key or user that finds no room is "
        "refused with 503",
        room_.taken(), room_.most());
  }
  warned_of_room_ = nearly_full;
}

}  // namespace latchkey::limit
