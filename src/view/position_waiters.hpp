#pragma once

// Requests that wait for the view to reach a position (`Latchkey-At-Least`), without holding a thread.

#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

#include "base/clock.hpp"
#include "view/view.hpp"

namespace latchkey::view {

enum class Awaited : std::uint8_t {
  reached,
  timed_out,    // the deadline passed, or the projector stopped
  other_epoch,  // the position belongs to another life of the database: it has no order with the view's
};

/// Any thread may add; the projector's thread serves.
class PositionWaiters {
 public:
  using Done = std::move_only_function<void(Awaited)>;

  explicit PositionWaiters(std::size_t max_waiting) : max_waiting_(max_waiting) {}

  /// False when too many wait already; `done` is dropped then.
  [[nodiscard]] bool add(Position position, BootTime deadline, Done done);
  /// Calls and forgets those that need wait no longer.
  void serve(const Freshness& freshness, BootTime now);
  void time_out_all();

 private:
  struct Waiter {
    Position position;
    BootTime deadline;
    Done done;
  };
  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::vector<Waiter> waiting_;  // guarded by mutex_
};

/// nullopt: not yet. While the view is not complete its epoch is not settled, so nothing is refused for it.
std::optional<Awaited> judge(Position awaited, const Freshness& freshness);

}  // namespace latchkey::view
