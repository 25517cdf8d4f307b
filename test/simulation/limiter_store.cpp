#include "limiter_store.hpp"

namespace latchkey::simulation {

using limit::lease::Call;
using limit::lease::Caller;
using limit::lease::PermitBook;
using limit::lease::Reply;

LimiterStore::LimiterStore(World& world, double rate, Bug bug) : bug_(bug), clock_(world, rate, {}) {
  book_.clock.run = 1;  // nothing was admitted before the simulation began
  book_.clock.raw_ms = raw_ms();
}

std::optional<Reply> LimiterStore::answer(const Caller& caller, const Call& call) {
  if (!knows(caller)) return std::nullopt;
  if (bug_ == Bug::stale_version_raises_limit) forget_versions(call);
  if (bug_ == Bug::return_honoured_twice) honour_again(caller, call);
  Call as_heard = call;
  if (bug_ == Bug::epoch_ignored) as_heard.limit.epoch = {};
  return book_.answer(seen(caller), as_heard, raw_ms());
}

std::optional<Reply> LimiterStore::announce(const Caller& caller) {
  if (!knows(caller)) return std::nullopt;
  return book_.announce(seen(caller), raw_ms());
}

Caller LimiterStore::seen(Caller caller) {
  if (bug_ == Bug::new_run_ignored) {
    if (book_.clock.run == 0) book_.clock.raw_ms = raw_ms();
    caller.run = book_.clock.run = 1;
  }
  if (bug_ == Bug::clock_high_water_ignored) {
    book_.clock.raw_ms = std::min(book_.clock.raw_ms, raw_ms());
    caller.vouched_ms = std::min(caller.vouched_ms, raw_ms());  // who vouches for more would show it as well
  }
  if (bug_ == Bug::doubt_ignored) {
    caller.steps = book_.clock.steps;
    caller.vouched_ms = raw_ms();
  }
  if (bug_ == Bug::unmet_step_back_ignored) caller.vouched_ms = std::min(caller.vouched_ms, raw_ms());
  if (bug_ == Bug::forgotten_calls_ignored) caller.calls = 0;
  return caller;
}

void LimiterStore::restart_empty() {
  first_run_ = ++run_;
  book_ = {};
  followers_.clear();
}

void LimiterStore::fail_over(Duration clock_differs) {
  first_run_ = ++run_;
  book_ = followers_.empty() ? PermitBook{} : followers_.front();
  followers_.clear();
  clock_.step_wall(clock_differs);
}

void LimiterStore::forget_some() {
  if (followers_.empty()) return;
  ++run_;
  book_ = followers_.front();
}

void LimiterStore::replicate() {
  followers_.push_back(book_);
  if (followers_.size() > 4) followers_.pop_front();
}

void LimiterStore::forget_versions(const Call& call) {
  if (const auto known = book_.counters.find(call.id()); known != book_.counters.end())
    known->second.terms.version = Version{0};
}

void LimiterStore::honour_again(const Caller& caller, const Call& call) {
  const auto known = book_.counters.find(call.id());
  if (known == book_.counters.end() || call.returned_permits == 0) return;
  auto& record = known->second;
  const std::uint64_t name = caller.replica * 1'000'003 + call.returned_lease;
  const auto lease = record.leases.find(caller.replica);
  if (lease != record.leases.end() && lease->second.number == call.returned_lease) {
    returned_[name] = lease->second;
  } else if (const auto again = returned_.find(name); again != returned_.end()) {
    const auto permits = record.granted.find(again->second.slot);
    if (permits != record.granted.end())
      permits->second -= std::min<std::uint64_t>(permits->second, call.returned_permits);
  }
}

}  // namespace latchkey::simulation
