#include "view/position_waiters.hpp"

#include <utility>

namespace latchkey::view {

std::optional<Awaited> outcome_of_wait(Position awaited, const Freshness& freshness) {
  if (!freshness.complete) return std::nullopt;
  if (awaited.epoch != freshness.position.epoch) return Awaited::other_epoch;
  if (awaited.seq <= freshness.position.seq) return Awaited::reached;
  return std::nullopt;
}

bool PositionWaiters::add(Position position, BootTime deadline, const WaitingFor& caller, Done done) {
  const MutexLock lock(mutex_);
  if (waiting_.size() >= max_waiting_) return false;
  std::size_t& count = count_[caller];
  if (count >= most_of(caller)) return false;
  ++count;
  waiting_.push_back({position, deadline, caller, std::move(done)});
  return true;
}

void PositionWaiters::serve(const Freshness& freshness, BootTime now) {
  std::vector<std::pair<Done, Awaited>> served;  // called without the lock: they may add others
  {
    const MutexLock lock(mutex_);
    std::erase_if(waiting_, [&](Waiter& waiter) REQUIRES(mutex_) {
      auto outcome = outcome_of_wait(waiter.position, freshness);
      if (!outcome && waiter.deadline <= now) outcome = Awaited::timed_out;
      if (!outcome) return false;
      served.emplace_back(std::move(waiter.done), *outcome);
      if (const auto count = count_.find(waiter.caller); --count->second == 0) count_.erase(count);
      return true;
    });
  }
  for (auto& [done, outcome] : served) done(outcome);
}

void PositionWaiters::time_out_all() {
  std::vector<Waiter> all;
  {
    const MutexLock lock(mutex_);
    all.swap(waiting_);
    count_.clear();
  }
  for (auto& waiter : all) waiter.done(Awaited::timed_out);
}

}  // namespace latchkey::view
