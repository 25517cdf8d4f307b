#include "limit/redis/charge_book.hpp"

#include <algorithm>
#include <utility>

namespace latchkey::limit::lease {

using State = KeyLease::State;

namespace {

/// So often a store may say that it cannot charge the period that it was told before its waiters are told.
constexpr std::uint32_t most_wrong_bounds = 4;

}  // namespace

std::optional<Verdict> ChargeBook::try_charge(const Charge& charge) {
  const Entries entries = find(charge);
  if (auto verdict = decide(charge, entries, Observed::counted)) return verdict;
  if (reachable_) return std::nullopt;
  if (auto verdict = decide(charge, entries, Observed::counted_if_here)) return verdict;
  return unreachable(charge, entries);
}

bool ChargeBook::charge_later(const Charge& charge, RateLimiter::VerdictLater done, DecidedList& decided) {
  if (!reachable_ || waiting_ >= config_.most_waiting) {
    const Entries entries = find(charge);
    auto verdict = decide(charge, entries, Observed::counted_if_here);
    decided.push_back({std::move(done), verdict ? *verdict : unreachable(charge, entries)});
    return false;
  }
  const Entries entries = enter(charge);
  if (auto verdict = decide(charge, entries, Observed::counted)) {
    decided.push_back({std::move(done), *verdict});
    return false;
  }
  const BootTime now = clock_.boot();
  const auto waiter = std::make_shared<Waiter>(charge, now, std::move(done));
  for (std::size_t i = 0; i < charge.limits.size(); ++i) entries[i]->waiters.push_back(waiter);
  ++waiting_;
  return ask_for(charge, entries, now);
}

ChargeBook::Looked ChargeBook::look(const Charge& charge) {
  const BootTime now = clock_.boot();
  Looked looked;
  const Entries known = find(charge);
  fill(looked.verdict, charge, known, 0, now);
  if (!reachable_) return looked;
  const Entries entries = enter(charge);
  for (std::size_t i = 0; i < charge.limits.size(); ++i) {
    if (entries[i]->lease.is_fresh(now) || entries[i]->lease.asking()) continue;
    make_due(*entries[i]);
    looked.call_to_make = true;
  }
  return looked;
}

// --- Deciding ---------------------------------------------------------------------------------------------------------

std::optional<Verdict> ChargeBook::decide(const Charge& charge, const Entries& entries, Observed observed) {
  if (auto never = exceeds_a_limit(charge)) {
    fill(*never, charge, entries, 0, clock_.boot());
    return never;
  }
  const BootTime now = clock_.boot();
  if (charge.cost == 0) {  // takes nothing, so nothing can be in its way
    Verdict verdict;
    fill(verdict, charge, entries, 0, now);
    return verdict;
  }
  bool all_have = true;
  bool one_refuses = false;
  for (std::size_t i = 0; i < charge.limits.size(); ++i) {
    const ActiveLimit& limit = charge.limits[i];
    const State state = state_of(entries[i], limit, charge.cost, now);
    if (state == State::has || (limit.observe && observed == Observed::counted_if_here)) continue;
    all_have = false;
    one_refuses = one_refuses || (state == State::refuses && !limit.observe);
  }
  if (all_have) return take(charge, entries, observed);
  if (!one_refuses) return std::nullopt;
  const Verdict refusal = refuse(charge, entries, now);
  // What is not known of another limit could only make the wait longer.
  for (std::size_t i = 0; i < charge.limits.size(); ++i) {
    if (may_wait_longer(entries[i], charge.limits[i], refusal.retry_after_seconds, now) && reachable_)
      return std::nullopt;
  }
  return refusal;
}

/// The units are taken before the clock is read: the moment of the admission then lies within all leases, however long
/// this thread is stopped between.
std::optional<Verdict> ChargeBook::take(const Charge& charge, const Entries& entries, Observed observed) {
  std::array<bool, max_limits> taken{};
  for (std::size_t i = 0; i < charge.limits.size(); ++i) {
    taken[i] = entries[i] != nullptr && entries[i]->lease.take(named(charge.limits[i]), charge.cost);
  }
  const BootTime now = clock_.boot();
  bool holds = true;
  for (std::size_t i = 0; i < charge.limits.size(); ++i) {
    const bool must = !charge.limits[i].observe || observed == Observed::counted;
    const bool has = taken[i] && now < entries[i]->lease.lease_ends();
    holds = holds && (has || !must);
  }
  if (!holds) {
    for (std::size_t i = 0; i < charge.limits.size(); ++i) {
      if (taken[i]) entries[i]->lease.give_back(charge.cost);
    }
    return std::nullopt;
  }
  for (std::size_t i = 0; i < charge.limits.size(); ++i) {
    if (entries[i] != nullptr) entries[i]->used = now;
  }
  Verdict verdict;
  fill(verdict, charge, entries, 0, now);
  return verdict;
}

Verdict ChargeBook::refuse(const Charge& charge, const Entries& entries, BootTime now) const {
  Verdict verdict{.outcome = Outcome::limited, .retry_after_seconds = 1};
  fill(verdict, charge, entries, charge.cost, now);
  for (std::size_t i = 0; i < charge.limits.size(); ++i) {
    const ActiveLimit& limit = charge.limits[i];
    if (limit.observe || entries[i] == nullptr) continue;
    const std::uint32_t wait = entries[i]->lease.seconds_until_free(named(limit), charge.cost, now);
    verdict.retry_after_seconds = std::max(verdict.retry_after_seconds, wait);
    verdict.standings[i].refuses = state_of(entries[i], limit, charge.cost, now) == State::refuses;
  }
  return verdict;
}

Verdict ChargeBook::unreachable(const Charge& charge, const Entries& entries) {
  Verdict verdict;
  fill(verdict, charge, entries, 0, clock_.boot());
  if (config_.unreachable == LeaseBookConfig::Closed::admits) {
    ++stats_.fail_open;
    return verdict;
  }
  ++stats_.unavailable;
  return {.outcome = Outcome::unavailable, .retry_after_seconds = 1};
}

/// `more`: of a request that was not admitted, what it would have taken.
void ChargeBook::fill(Verdict& verdict, const Charge& charge, const Entries& entries, std::uint32_t more,
                      BootTime now) const {
  verdict.count = charge.limits.size();
  for (std::size_t i = 0; i < verdict.count; ++i) {
    const ActiveLimit& limit = charge.limits[i];
    Standing& standing = verdict.standings[i];
    standing.remaining = limit.requests;
    if (entries[i] == nullptr) continue;
    const KeyLease& lease = entries[i]->lease;
    const Allowance left = lease.peek(named(limit), now);
    standing.remaining = left.remaining;
    standing.reset_seconds = left.reset_seconds;
    standing.would_limit = limit.observe && std::uint64_t{lease.used(now)} + more > limit.requests;
  }
}

// --- Waiting ----------------------------------------------------------------------------------------------------------

/// What the request still needs to be decided. True: there is a call to make.
bool ChargeBook::ask_for(const Charge& charge, const Entries& entries, BootTime now) {
  bool call_to_make = false;
  for (std::size_t i = 0; i < charge.limits.size(); ++i) {
    const ActiveLimit& limit = charge.limits[i];
    const State state = state_of(entries[i], limit, charge.cost, now);
    const bool needs = state == State::unknown || (limit.observe && state != State::has);
    if (!needs || entries[i]->lease.asking()) continue;
    make_due(*entries[i]);
    call_to_make = true;
  }
  return call_to_make;
}

/// Decides what it can, in order of arrival; asks again for the rest.
void ChargeBook::serve(Entry& entry, DecidedList& decided) {
  const BootTime now = clock_.boot();
  for (const auto& waiter : entry.waiters) {
    if (waiter->is_decided) continue;
    const Charge charge = waiter->charge.view();
    const Entries entries = find(charge);
    auto verdict = decide(charge, entries, Observed::counted);
    if (!verdict && now - waiter->since > config_.patience) verdict = unreachable(charge, entries);
    verdict ? decided_now(*waiter, *verdict, decided) : void(ask_for(charge, entries, now));
  }
  std::erase_if(entry.waiters, [](const auto& each) { return each->is_decided; });
}

void ChargeBook::fail(Entry& entry, DecidedList& decided) {
  for (const auto& waiter : entry.waiters) {
    if (waiter->is_decided) continue;
    const Charge charge = waiter->charge.view();
    const Entries entries = find(charge);
    const auto verdict = decide(charge, entries, Observed::counted_if_here);
    decided_now(*waiter, verdict ? *verdict : unreachable(charge, entries), decided);
  }
  entry.waiters.clear();
}

void ChargeBook::decided_now(Waiter& waiter, Verdict verdict, DecidedList& decided) {
  waiter.is_decided = true;
  --waiting_;
  decided.push_back({std::move(waiter.done), verdict});
}

// --- Calls ------------------------------------------------------------------------------------------------------------

void ChargeBook::take_calls(std::vector<Call>& calls, std::size_t most, std::uint32_t replicas) {
  const BootTime now = clock_.boot();
  const std::size_t taken = std::min(most, due_.size());
  for (std::size_t i = 0; i < taken; ++i) {
    due_[i]->is_due = false;
    calls.push_back(next_call(*due_[i], replicas, now));
  }
  due_.erase(due_.begin(), due_.begin() + static_cast<std::ptrdiff_t>(taken));
  stats_.calls += taken;
}

/// Wants what its waiters cost, but of those that another limit refuses anyhow.
Call ChargeBook::next_call(Entry& entry, std::uint32_t replicas, BootTime now) {
  come_to_present(entry, now);
  std::uint64_t units = 0;
  std::uint32_t least = 0;
  for (const auto& waiter : entry.waiters) {
    if (waiter->is_decided) continue;
    const Charge charge = waiter->charge.view();
    const Entries entries = find(charge);
    const auto is_refused_by = [&](std::size_t i) {
      return entries[i] != &entry && !charge.limits[i].observe &&
             state_of(entries[i], charge.limits[i], charge.cost, now) == State::refuses;
    };
    bool is_refused = false;
    for (std::size_t i = 0; i < charge.limits.size(); ++i) is_refused = is_refused || is_refused_by(i);
    if (is_refused) continue;
    units += charge.cost;
    if (least == 0) least = charge.cost;
  }
  const auto waiting = static_cast<std::uint32_t>(std::min<std::uint64_t>(units, max_limit_requests));
  Call call =
      entry.lease.next_call(entry.id.owner, named(entry.limit), ++calls_numbered_, waiting, replicas, now, least);
  call.counter = entry.id.limit;
  call.observes = entry.limit.observe;
  call.holder = holder_;
  return call;
}

void ChargeBook::replied(const Call& call, const Reply& reply, DecidedList& decided) {
  const BootTime now = clock_.boot();
  saw(reply, now);
  const auto known = entries_.find(call.id());
  if (known == entries_.end()) return;
  Entry& entry = known->second;
  if (reply.bounds != Bounds::hold) {
    if (!entry.lease.is_under_way(call.number)) return;
    entry.lease.lost();
    entry.entered_ms = std::max(entry.entered_ms, reply.entered_ms);
    if (++entry.wrong_bounds >= most_wrong_bounds) return fail(entry, decided);
    return serve(entry, decided);
  }
  if (!entry.lease.replied(call.number, reply, now)) return;
  entry.wrong_bounds = 0;
  stats_.leased += reply.granted;
  stats_.returned += call.returned_permits;
  if (reply.granted > 0) watch(entry);
  store_remembers(reply.memory);
  serve(entry, decided);
}

void ChargeBook::lost(const Call& call, DecidedList& decided) {
  stats_.burnt += call.returned_permits + call.wanted;
  const auto known = entries_.find(call.id());
  if (known == entries_.end()) return;
  known->second.lease.lost();
  watch(known->second);
  fail(known->second, decided);
}

void ChargeBook::store_went_down(DecidedList& decided) {
  reachable_ = false;
  for (Entry* waiting : due_) {
    waiting->is_due = false;
    fail(*waiting, decided);
  }
  due_.clear();
}

void ChargeBook::store_remembers(std::int64_t memory) {
  if (std::exchange(memory_, memory) == memory) return;
  const BootTime now = clock_.boot();
  for (auto& [id, entry] : entries_) {
    if (entry.lease.remembers(now) && !entry.lease.asking()) make_due(entry);
  }
}

void ChargeBook::tick() {
  const BootTime now = clock_.boot();
  std::erase_if(leased_, [&](Entry* holder) {
    if (holder->lease.holds_lease(now)) return false;
    const bool to_return = holder->lease.holds_unspent(now);
    if (to_return && (holder->lease.asking() || !reachable_)) return false;
    holder->is_leased = false;
    if (to_return) make_due(*holder);
    return true;
  });
  forget_idle(8 + entries_.bucket_count() / 256);
}

void ChargeBook::close() {
  for (Entry* holder : leased_) holder->lease.end_lease();
  tick();
}

void ChargeBook::make_due(Entry& entry) {
  if (std::exchange(entry.is_due, true)) return;
  due_.push_back(&entry);
}

void ChargeBook::watch(Entry& entry) {
  if (!std::exchange(entry.is_leased, true)) leased_.push_back(&entry);
}

}  // namespace latchkey::limit::lease
