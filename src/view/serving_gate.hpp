#pragma once

// What a replica owes before it may decide by its view, however fresh that is: somebody must know that it serves, or a
// revocation would be called enforced while nobody has asked this replica. Why exactly so:
// replica/replica_registry.hpp.

#include <atomic>
#include <cstdint>
#include <limits>

#include "base/clock.hpp"

namespace latchkey::view {

/// One thread writes; any thread asks, at the cost of two loads.
class ServingGate {
 public:
  /// Closed until admit() is called.
  ServingGate() = default;
  ServingGate(const ServingGate&) = delete;
  ServingGate& operator=(const ServingGate&) = delete;

  /// For a view that no registry has to know of. Never closed.
  static const ServingGate& always_open() {
    static const ServingGate gate(Always{});
    return gate;
  }

  /// Until `until`, the view may be decided by if it is current as of `view_from` or later.
  void admit(BootTime view_from, BootTime until) {
    view_from_.store(view_from.nanos, std::memory_order_relaxed);
    until_.store(until.nanos, std::memory_order_release);  // a thread that sees this sees the other as well
  }

  /// Until admit() is called again.
  void close() { until_.store(Nanos::min(), std::memory_order_release); }

  bool admits(BootTime current_as_of, BootTime now) const {
    return now.nanos <= until_.load(std::memory_order_acquire) &&
           current_as_of.nanos >= view_from_.load(std::memory_order_relaxed);
  }

 private:
  using Nanos = std::numeric_limits<std::int64_t>;
  struct Always {};
  explicit ServingGate(Always) : view_from_(Nanos::min()), until_(Nanos::max()) {}

  std::atomic<std::int64_t> view_from_{Nanos::max()};
  std::atomic<std::int64_t> until_{Nanos::min()};
};

}  // namespace latchkey::view
