#include "limit/redis/lease_book.hpp"

#include <algorithm>
#include <utility>

namespace latchkey::limit::lease {
namespace {

constexpr auto forgotten_after = std::chrono::seconds(10);

}  // namespace

LeaseStats& LeaseStats::operator+=(const LeaseStats& other) {
  calls += other.calls;
  leased += other.leased;
  returned += other.returned;
  burnt += other.burnt;
  unavailable += other.unavailable;
  fail_open += other.fail_open;
  return *this;
}

std::optional<Decision> LeaseBook::try_admit(const KeyId& key, const Limit& limit) {
  if (const auto known = entries_.find(key); known != entries_.end()) {
    if (auto decided = known->second.lease.try_admit(limit, clock_)) return decided;
  }
  if (!reachable_) return unreachable();
  return std::nullopt;
}

bool LeaseBook::admit_later(const KeyId& key, const Limit& limit, RateLimiter::Later done, DecidedList& decided) {
  if (!reachable_ || waiting_ >= config_.most_waiting) {
    decided.push_back({std::move(done), unreachable()});
    return false;
  }
  Entry& of_key = entry(key, limit);
  of_key.waiters.push_back({limit, clock_.boot(), std::move(done)});
  ++waiting_;
  if (of_key.lease.asking()) return false;
  serve(of_key, decided);
  return of_key.due;
}

LeaseBook::Peeked LeaseBook::peek(const KeyId& key, const Limit& limit) {
  const auto known = entries_.find(key);
  const BootTime now = clock_.boot();
  Peeked peeked{.allowance =
                    known == entries_.end() ? KeyLease().peek(limit, now) : known->second.lease.peek(limit, now)};
  if (!reachable_ || (known != entries_.end() && known->second.lease.is_fresh(now))) return peeked;
  Entry& of_key = entry(key, limit);
  if (!of_key.lease.asking()) make_due(of_key);
  peeked.call_to_make = of_key.due;
  return peeked;
}

void LeaseBook::take_calls(std::vector<Call>& calls, std::size_t most, std::uint32_t replicas) {
  const BootTime now = clock_.boot();
  const std::size_t taken = std::min(most, due_.size());
  for (std::size_t i = 0; i < taken; ++i) {
    due_[i]->due = false;
    calls.push_back(next_call(*due_[i], replicas, now));
  }
  due_.erase(due_.begin(), due_.begin() + static_cast<std::ptrdiff_t>(taken));
  stats_.calls += taken;
}

Call LeaseBook::next_call(Entry& entry, std::uint32_t replicas, BootTime now) {
  Limit named = entry.limit;
  for (const Waiter& waiter : entry.waiters) {
    if (waiter.limit.epoch == named.epoch && waiter.limit.version > named.version) named = waiter.limit;
  }
  const auto waiting = static_cast<std::uint32_t>(entry.waiters.size());
  return entry.lease.next_call(entry.key, named, ++calls_numbered_, waiting, replicas, now);
}

void LeaseBook::replied(const Call& call, const Reply& reply, DecidedList& decided) {
  const auto known = entries_.find(call.key);
  if (known == entries_.end()) return;
  Entry& of_key = known->second;
  if (!of_key.lease.replied(call.number, reply, clock_.boot())) return;
  stats_.leased += reply.granted;
  stats_.returned += call.returned_permits;
  if (reply.granted > 0) watch(of_key);
  serve(of_key, decided);
}

void LeaseBook::lost(const Call& call, DecidedList& decided) {
  stats_.burnt += call.returned_permits + call.wanted;
  const auto known = entries_.find(call.key);
  if (known == entries_.end()) return;
  known->second.lease.lost();
  watch(known->second);
  fail(known->second, decided);
}

void LeaseBook::store_went_down(DecidedList& decided) {
  reachable_ = false;
  for (Entry* waiting : due_) {
    waiting->due = false;
    fail(*waiting, decided);
  }
  due_.clear();
}

void LeaseBook::tick() {
  const BootTime now = clock_.boot();
  std::erase_if(leased_, [&](Entry* holder) {
    if (holder->lease.holds_lease(now)) return false;
    const bool to_return = holder->lease.holds_unspent(now);
    if (to_return && (holder->lease.asking() || !reachable_)) return false;
    holder->leased = false;
    if (to_return) make_due(*holder);
    return true;
  });
  forget_idle(8 + entries_.bucket_count() / 256);
}

void LeaseBook::close() {
  for (Entry* holder : leased_) holder->lease.end_lease();
  tick();
}

LeaseBook::Entry& LeaseBook::entry(const KeyId& key, const Limit& limit) {
  const auto [at, added] = entries_.try_emplace(key);
  Entry& of_key = at->second;
  if (added) {
    of_key.key = key;
    of_key.lease = KeyLease(config_.clock_drift);
  }
  of_key.limit = limit;
  of_key.used = clock_.boot();
  return of_key;
}

void LeaseBook::make_due(Entry& entry) {
  if (std::exchange(entry.due, true)) return;
  due_.push_back(&entry);
}

/// Until it has nothing to return.
void LeaseBook::watch(Entry& entry) {
  if (!std::exchange(entry.leased, true)) leased_.push_back(&entry);
}

Decision LeaseBook::unreachable() {
  if (config_.unreachable == LeaseBookConfig::Closed::admits) {
    ++stats_.fail_open;
    return {.admitted = true};
  }
  ++stats_.unavailable;
  return {.retry_after_seconds = 1, .unavailable = true};
}

/// Decides what it can, in order of arrival; asks again for the rest.
void LeaseBook::serve(Entry& entry, DecidedList& decided) {
  std::size_t served = 0;
  const BootTime now = clock_.boot();
  for (Waiter& waiter : entry.waiters) {
    auto decision = entry.lease.try_admit(waiter.limit, clock_);
    if (!decision && now - waiter.since > config_.patience) decision = unreachable();
    if (!decision) break;
    decided.push_back({std::move(waiter.done), *decision});
    ++served;
  }
  entry.waiters.erase(entry.waiters.begin(), entry.waiters.begin() + static_cast<std::ptrdiff_t>(served));
  waiting_ -= served;
  if (!entry.waiters.empty()) make_due(entry);
}

void LeaseBook::fail(Entry& entry, DecidedList& decided) {
  waiting_ -= entry.waiters.size();
  for (Waiter& waiter : entry.waiters) decided.push_back({std::move(waiter.done), unreachable()});
  entry.waiters.clear();
}

void LeaseBook::forget_idle(std::size_t buckets) {
  const BootTime now = clock_.boot();
  for (std::size_t looked_at = 0; looked_at < buckets; ++looked_at) {
    if (++sweep_position_ >= entries_.bucket_count()) sweep_position_ = 0;
    for (auto each = entries_.begin(sweep_position_); each != entries_.end(sweep_position_);) {
      const Entry& idle = each->second;
      const bool stays = idle.due || idle.leased || !idle.waiters.empty() || idle.lease.asking() ||
                         idle.lease.holds_lease(now) || idle.lease.holds_unspent(now) || idle.lease.refuses(now) ||
                         now - idle.used < forgotten_after;
      const KeyId key = idle.key;
      ++each;
      if (!stays) entries_.erase(key);
    }
  }
}

}  // namespace latchkey::limit::lease
