#pragma once

// The shared store of permits in the simulation: the rules of permit_book.hpp on a machine that can lose its memory and
// whose clock steps; and, on request, with a bug planted.

#include <deque>
#include <map>
#include <optional>

#include "limit/redis/permit_book.hpp"
#include "node_clock.hpp"

namespace latchkey::simulation {

/// What can be planted, to see that the simulation finds it.
enum class Bug : std::uint8_t {
  none,
  stale_version_raises_limit,
  return_honoured_twice,
  clock_read_before_taking,
  new_run_ignored,
  drift_ignored,
  clock_high_water_ignored,
  doubt_ignored,
  unmet_step_back_ignored,
  forgotten_calls_ignored,
  epoch_ignored,
};

class LimiterStore {
 public:
  LimiterStore(World& world, double rate, Bug bug);

  /// Nothing is answered to a caller that knows an earlier process: its connection leads nowhere.
  std::optional<limit::lease::Reply> answer(const limit::lease::Caller& caller, const limit::lease::Call& call);
  /// As answer(), for one that only says that it is there.
  std::optional<limit::lease::Reply> announce(const limit::lease::Caller& caller);
  /// What whoever meets it now is told.
  std::uint64_t run() const { return run_; }

  void step_clock(Duration by) { clock_.step_wall(by); }
  void restart_empty();
  /// Another machine goes on with what it had heard up to some time ago.
  void fail_over(Duration clock_differs);
  /// It followed another machine for a moment and goes on with what that one had heard. Connections outlive it, so that
  /// who has met it before goes on by the run that it knew.
  void forget_some();
  /// Often: what a machine that follows would have heard by now.
  void replicate();

 private:
  std::int64_t raw_ms() const { return clock_.wall().count; }
  bool knows(const limit::lease::Caller& caller) const { return caller.run >= first_run_; }
  limit::lease::Caller seen(limit::lease::Caller caller);
  void forget_versions(const limit::lease::Call& call);
  void honour_again(const limit::lease::Caller& caller, const limit::lease::Call& call);

  const Bug bug_;
  NodeClock clock_;
  std::uint64_t run_ = 1;
  std::uint64_t first_run_ = 1;  // of this process
  limit::lease::PermitBook book_;
  std::deque<limit::lease::PermitBook> followers_;                       // oldest first
  std::map<std::uint64_t, limit::lease::PermitRecord::Lease> returned_;  // by number and replica, for the bug
};

}  // namespace latchkey::simulation
