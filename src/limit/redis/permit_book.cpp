#include "limit/redis/permit_book.hpp"

#include <algorithm>

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

std::uint32_t PermitRecord::used() const {
  std::uint32_t sum = 0;
  for (const auto& [slot, permits] : granted) sum += permits;
  return sum;
}

Reply PermitRecord::answer(const Call& call, std::uint64_t replica, StoreClock::Moment moment,
                           std::int64_t closed_until_ms) {
  const auto [now_ms, certain] = moment;
  const std::int64_t slot = now_ms / slot_ms;
  // In this order: what left the window is free, then what comes back is free, then permits are granted from the rest.
  granted.erase(granted.begin(), granted.upper_bound(slot - slots_in_window));
  const Terms now_named = terms.after(call.limit, slot);
  if (call.wanted > 0) terms = now_named;
  std::erase_if(leases, [&](const auto& each) { return each.second.slot < slot - slots_to_return; });
  const bool awaited = take_back(call, replica);

  const std::uint32_t most = now_named.in_force(slot);
  Reply reply{.now_ms = now_ms, .limit = most, .version = now_named.version, .certain = certain};
  const std::uint32_t before = used();
  if (certain && awaited && now_ms >= closed_until_ms && before < most) {
    // What is nearly used up is shared: of 3 free permits and 2 replicas, the first to ask gets at most 2.
    const std::uint32_t share = (most - before - 1) / call.replicas + 1;
    reply.granted = std::min(call.wanted, share);
  }
  if (reply.granted > 0) {
    granted[slot] += reply.granted;
    leases[replica] = {.number = call.number, .slot = slot, .granted = reply.granted};
  }
  reply.used = before + reply.granted;
  reply.reset_at_ms = granted.empty() ? now_ms : (granted.begin()->first + slots_in_window) * slot_ms;
  reply.free_at_ms = std::max(free_at(most, now_ms), closed_until_ms);
  reply.ask_at_ms = reply.free_at_ms;
  if (others_may_return(replica, slot) && now_ms >= closed_until_ms) {
    reply.ask_at_ms = std::min(reply.ask_at_ms, (slot + 1) * slot_ms);
  }
  if (!certain) reply.ask_at_ms = now_ms;
  return reply;
}

bool PermitRecord::take_back(const Call& call, std::uint64_t replica) {
  const auto lease = leases.find(replica);
  if (lease == leases.end()) return true;
  const auto [number, slot, of_lease] = lease->second;
  if (number >= call.number) return false;  // an old call that arrives late: its lease was replaced already
  const bool lost = call.lost_since != 0 && number >= call.lost_since;
  if (number != call.returned_lease && !lost) return true;
  const auto permits = granted.find(slot);
  if (permits != granted.end()) {
    permits->second -= std::min({lost ? of_lease : call.returned_permits, of_lease, permits->second});
    if (permits->second == 0) granted.erase(permits);
  }
  leases.erase(lease);
  return true;
}

std::int64_t PermitRecord::free_at(std::uint32_t most, std::int64_t now_ms) const {
  std::uint32_t left = used();
  if (left < most) return now_ms;
  for (const auto& [slot, permits] : granted) {
    left -= permits;
    if (left < most) return (slot + slots_in_window) * slot_ms;
  }
  return now_ms;
}

bool PermitRecord::others_may_return(std::uint64_t replica, std::int64_t slot) const {
  return std::any_of(leases.begin(), leases.end(), [&](const auto& each) {
    return each.first != replica && each.second.slot >= slot - slots_to_await;
  });
}

Reply PermitBook::answer(const Caller& caller, const Call& call, std::int64_t raw_ms) {
  const StoreClock::Moment moment = clock.advance(caller, raw_ms, history);
  PermitRecord nothing;
  const bool keeps = call.wanted > 0 || keys.contains(call.key);
  Reply reply = (keeps ? keys[call.key] : nothing).answer(call, caller.replica, moment, clock.closed_until_ms);
  reply.raw_ms = raw_ms;
  reply.steps = clock.steps;
  reply.calls = clock.calls;
  return reply;
}

Reply PermitBook::announce(const Caller& caller, std::int64_t raw_ms) {
  const StoreClock::Moment moment = clock.advance(caller, raw_ms, history);
  return {.raw_ms = raw_ms, .steps = clock.steps, .calls = clock.calls, .certain = moment.certain};
}

}  // namespace latchkey::limit::lease
