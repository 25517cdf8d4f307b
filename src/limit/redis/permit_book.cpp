#include "limit/redis/permit_book.hpp"

#include <algorithm>
#include <limits>

namespace latchkey::limit::lease {

StoreClock::Moment StoreClock::advance(const Caller& caller, std::int64_t raw_now_ms, History history) {
  if (run == 0) raw_ms = raw_now_ms;
  const bool forgot = caller.run == run && calls < caller.calls;
  const bool same_run = caller.run == run && !forgot;
  const std::uint64_t call = std::max(calls, caller.calls) + 1;
  if (raw_now_ms < raw_ms) {
    // The raw clock went back. The store's time stands still: it grows by `adjust_ms` what the raw clock lost.
    adjust_ms += raw_ms - raw_now_ms;
    steps = call;
  } else {
    // Forward. How much of that is more than the caller knows to have passed? A caller that cannot vouch proves nothing
    // beyond the last call. Example: last call at 1,000; this one at 61,000 by the raw clock. A caller that vouches for
    // 60,950 shows that the minute passed; one that vouches for 1,050 shows a step of 59,950, which is left out.
    const bool vouches = same_run && caller.steps == steps && caller.vouched_ms >= 0;
    const std::int64_t excess = raw_now_ms - (vouches ? caller.vouched_ms : raw_ms);
    if (excess > step_tolerance_ms) {
      if (same_run && !caller.confirms_clock_step) return {.now_ms = raw_ms + adjust_ms, .certain = false};
      adjust_ms -= std::min(excess, raw_now_ms - raw_ms);
      steps = call;
    } else if (vouches && excess < -step_tolerance_ms) {
      steps = call;
    }
  }
  raw_ms = raw_now_ms;
  calls = call;
  if (forgot) steps = call;
  const std::int64_t now_ms = raw_ms + adjust_ms;
  if (!same_run) {
    run = caller.run;
    closed_until_ms = history == History::none && !forgot ? 0 : now_ms + window_ms;
  }
  return {.now_ms = now_ms, .certain = true};
}

Terms Terms::after(const Limit& named, std::int64_t slot) const {
  Terms terms = *this;
  // A limit that nobody has named for a whole window is void, and so is its version. Of two epochs nobody knows which
  // is newer, so for a window the smaller of both limits holds (`cap`).
  const bool forgotten = limit == 0 || slot - named_at > slots_in_window;
  const bool of_another_epoch = !forgotten && named.epoch != epoch;
  if (of_another_epoch) {
    terms.cap = std::min(in_force(slot), named.requests_per_minute);
    terms.capped_at = slot;
  }
  if (forgotten || of_another_epoch || named.version > version) {
    terms.epoch = named.epoch;
    terms.version = named.version;
    terms.limit = named.requests_per_minute;
  }
  if (named.version >= terms.version) terms.named_at = slot;
  return terms;
}

std::uint32_t Terms::in_force(std::int64_t slot) const {
  const bool capped = capped_at >= 0 && slot - capped_at <= slots_in_window;
  return capped ? std::min(limit, cap) : limit;
}

std::uint64_t PermitRecord::used() const {
  std::uint64_t sum = 0;
  for (const auto& [slot, permits] : granted) sum += permits;
  return sum;
}

namespace {

std::uint32_t capped(std::uint64_t units) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(units, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

Reply PermitRecord::answer(const Call& call, std::uint64_t replica, const StoreNow& at) {
  const std::uint64_t name = replica + call.holder;
  const std::int64_t slot = call.span.slot_of(at.now_ms);
  const std::int64_t terms_slot = at.store_ms / slot_ms;
  const bool is_window = !call.span.is_period() && call.counter != per_minute_counter;
  if (is_window && called_at >= 0 && terms_slot - called_at > call.span.forgotten_after()) *this = {};
  const Terms now_named = terms.after(call.limit, terms_slot);
  Reply reply{.now_ms = at.now_ms,
              .limit = now_named.in_force(terms_slot),
              .version = now_named.version,
              .reset_at_ms = at.now_ms,
              .free_at_ms = at.now_ms,
              .ask_at_ms = at.now_ms,
              .certain = at.certain,
              .empty_at_ms = at.now_ms};
  reply.bounds = enter(call, at);
  reply.entered_ms = entered_ms;
  if (reply.bounds != Bounds::hold) return reply;
  called_at = terms_slot;
  // In this order: what left the window is free, then what comes back is free, then permits are granted from the rest.
  const std::int64_t gone = call.span.is_period() ? slot - 1 : slot - slots_in_window;
  granted.erase(granted.begin(), granted.upper_bound(gone));
  if (call.wanted > 0) terms = now_named;
  const std::int64_t beat = Span::beat_of(at.now_ms);
  std::erase_if(leases, [&](const auto& each) { return each.second.beat < beat - call.span.beats_to_return(); });
  restore(call, at);
  const bool awaited = take_back(call, name);
  if (awaited) reply.granted = grant(call, reply.limit, at);
  if (reply.granted > 0) {
    granted[slot] += reply.granted;
    leases[name] = {.number = call.number, .slot = slot, .granted = reply.granted, .beat = beat};
  }
  reply.used = capped(used());
  fill_times(reply, call, at);
  if (others_may_return(name, beat) && at.now_ms >= at.closed_until_ms) {
    reply.ask_at_ms = std::min(reply.ask_at_ms, (beat + 1) * slot_ms);
  }
  if (!at.certain) reply.ask_at_ms = at.now_ms;
  return reply;
}

/// A period that was entered is never left for an earlier one. None is entered before the store's TIME reaches it.
Bounds PermitRecord::enter(const Call& call, const StoreNow& at) {
  if (!call.span.is_period()) return Bounds::hold;
  const auto [start, end] = call.span.period;
  if (at.raw_ms >= end.count) return Bounds::over;
  if (start.count < entered_ms) return Bounds::overtaken;
  if (at.raw_ms < start.count && start.count != entered_ms) return Bounds::early;
  entered_ms = start.count;
  return Bounds::hold;
}

void PermitRecord::restore(const Call& call, const StoreNow& at) {
  if (!at.certain || !call.span.is_long() || call.memory == at.memory) return;
  if (call.known_used == 0) return;
  // When they were granted is not known, and an older copy of the store may hold others: all count from now on.
  const std::uint64_t units = std::max(used(), call.known_used);
  granted = {{call.span.slot_of(at.now_ms), units}};
}

std::uint32_t PermitRecord::grant(const Call& call, std::uint32_t most, const StoreNow& at) const {
  if (!at.certain) return 0;
  if (call.observes) return call.wanted;
  const std::uint64_t before = used();
  if (at.now_ms < at.closed_until_ms || before + call.least > most) return 0;
  // What is nearly used up is shared: of 3 free permits and 2 replicas, the first to ask gets at most 2.
  const auto share = static_cast<std::uint32_t>((most - before - 1) / call.replicas + 1);
  return std::min(call.wanted, std::max(call.least, share));
}

bool PermitRecord::take_back(const Call& call, std::uint64_t name) {
  const auto lease = leases.find(name);
  if (lease == leases.end()) return true;
  const auto [number, slot, of_lease, beat] = lease->second;
  if (number >= call.number) return false;  // an old call that arrives late: its lease was replaced already
  const bool lost = call.lost_since != 0 && number >= call.lost_since;
  if (number != call.returned_lease && !lost) return true;
  const auto permits = granted.find(slot);
  if (permits != granted.end()) {
    const std::uint32_t back = std::min(lost ? of_lease : call.returned_permits, of_lease);
    permits->second -= std::min<std::uint64_t>(back, permits->second);
    if (permits->second == 0) granted.erase(permits);
  }
  leases.erase(lease);
  return true;
}

void PermitRecord::fill_times(Reply& reply, const Call& call, const StoreNow& at) const {
  reply.free_at_ms = std::max(free_at(call, reply.limit, at), at.closed_until_ms);
  reply.ask_at_ms = reply.free_at_ms;
  if (granted.empty()) return;
  reply.reset_at_ms = call.span.leaves_at(granted.begin()->first, at.now_ms, at.raw_ms);
  reply.empty_at_ms = call.span.leaves_at(granted.rbegin()->first, at.now_ms, at.raw_ms);
}

/// When as many are free as one request needs.
std::int64_t PermitRecord::free_at(const Call& call, std::uint32_t most, const StoreNow& at) const {
  std::uint64_t left = used();
  std::int64_t when = at.now_ms;
  for (const auto& [slot, permits] : granted) {
    if (left + call.least <= most) break;
    left -= permits;
    when = call.span.leaves_at(slot, at.now_ms, at.raw_ms);
  }
  return when;
}

bool PermitRecord::others_may_return(std::uint64_t name, std::int64_t beat) const {
  return std::any_of(leases.begin(), leases.end(),
                     [&](const auto& each) { return each.first != name && each.second.beat >= beat - slots_to_await; });
}

StoreNow PermitBook::now(const Caller& caller, const Call& call, std::int64_t raw_ms, const FastTime& fast) {
  const StoreClock::Moment store = clock.advance(caller, raw_ms, history);
  StoreNow at{.now_ms = store.now_ms,
              .certain = store.certain,
              .store_certain = store.certain,
              .closed_until_ms = clock.closed_until_ms,
              .store_ms = store.now_ms,
              .raw_ms = raw_ms,
              .memory = clock.memory()};
  if (!call.span.is_fast()) return at;
  // A fast clock is first called when its window is first used: what the store says of its history holds for it as well.
  StoreClock& own = fast_clocks[call.span.pace()];
  const StoreClock::Moment moment = own.advance(fast.caller, fast.raw_ms, StoreClock::History::none);
  const std::int64_t closed_ms = std::max<std::int64_t>(0, clock.closed_until_ms - store.now_ms);
  const std::int64_t pace = call.span.pace();
  at.now_ms = moment.now_ms;
  at.certain = store.certain && moment.certain;
  at.fast_certain = moment.certain;
  at.closed_until_ms = std::max(own.closed_until_ms, moment.now_ms + (closed_ms * Span::minute + pace - 1) / pace);
  return at;
}

Reply PermitBook::answer(const Caller& caller, const Call& call, std::int64_t raw_ms, const FastTime& fast) {
  const StoreNow at = now(caller, call, raw_ms, fast);
  PermitRecord nothing;
  const bool restores = call.span.is_long() && call.known_used > 0 && call.memory != at.memory && at.certain;
  const auto known = counters.find(call.id());
  const bool keeps = call.wanted > 0 || restores || (known != counters.end() && known->second.called_at >= 0);
  Reply reply = (keeps ? counters[call.id()] : nothing).answer(call, caller.replica, at);
  reply.raw_ms = raw_ms;
  reply.steps = clock.steps;
  reply.calls = clock.calls;
  reply.memory = at.memory;
  reply.store_certain = at.store_certain;
  if (!call.span.is_fast()) return reply;
  const StoreClock& own = fast_clocks[call.span.pace()];
  reply.fast_raw_ms = fast.raw_ms;
  reply.fast_steps = own.steps;
  reply.fast_calls = own.calls;
  reply.fast_certain = at.fast_certain;
  return reply;
}

Reply PermitBook::announce(const Caller& caller, std::int64_t raw_ms) {
  const StoreClock::Moment moment = clock.advance(caller, raw_ms, history);
  return {.raw_ms = raw_ms,
          .steps = clock.steps,
          .calls = clock.calls,
          .certain = moment.certain,
          .memory = clock.memory(),
          .store_certain = moment.certain};
}

}  // namespace latchkey::limit::lease
