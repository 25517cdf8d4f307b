#pragma once

// Requests that wait for the view to reach a position (`Latchkey-At-Least`), without holding a thread.

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "view/view.hpp"

namespace latchkey::view {

enum class Awaited : std::uint8_t {
  reached,
  timed_out,    // the deadline passed, or the projector stopped
  other_epoch,  // the position belongs to another life of the database: it has no order with the view's
};

/// For which key a request waits: one that has proved itself, or none in particular. No one key can take all places,
/// and those without proof share a quarter of them, so that a flood of either leaves room for the others.
using WaitingFor = std::optional<KeyId>;

/// Any thread may add; the projector's thread serves.
class PositionWaiters {
 public:
  using Done = std::move_only_function<void(Awaited)>;

  explicit PositionWaiters(std::size_t max_waiting) : max_waiting_(max_waiting) {}

  static constexpr std::size_t max_of_one_key = 64;

  /// False when too many wait already, in all or of this key; `done` is dropped then.
  [[nodiscard]] bool add(Position position, BootTime deadline, const WaitingFor& caller, Done done);
  /// Calls and forgets those that need wait no longer.
  void serve(const Freshness& freshness, BootTime now);
  void time_out_all();

 private:
  struct Waiter {
    Position position;
    BootTime deadline;
    WaitingFor caller;
    Done done;
  };
  std::size_t most_of(const WaitingFor& caller) const { return caller ? max_of_one_key : max_waiting_ / 4; }

  const std::size_t max_waiting_;
  Mutex mutex_;
  std::vector<Waiter> waiting_ GUARDED_BY(mutex_);
  std::map<WaitingFor, std::size_t> count_ GUARDED_BY(mutex_);  // of waiting_
};

/// nullopt: not yet. While the view is not complete its epoch is not settled, so nothing is refused for it.
std::optional<Awaited> outcome_of_wait(Position awaited, const Freshness& freshness);

}  // namespace latchkey::view
