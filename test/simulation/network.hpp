#pragma once

#include <functional>
#include <utility>

#include "world.hpp"

namespace latchkey::simulation {

/// What a message may meet. Reordering follows from delays that differ.
struct NetworkFaults {
  Duration shortest = std::chrono::microseconds(50);
  Duration usual = std::chrono::milliseconds(2);    // most delays lie between these two
  Duration longest = std::chrono::milliseconds(2);  // of the few that do not
  double slow = 0;
  double lost = 0;
  double repeated = 0;
};

class Network {
 public:
  Network(World& world, NetworkFaults faults) : world_(world), faults_(faults) {}
  /// Delivers never, once or twice. Whoever receives must look again whether it is still there.
  void send(const std::function<void()>& deliver) {
    if (!world_.chance(faults_.lost)) world_.after(delay(), deliver);
    if (world_.chance(faults_.repeated)) world_.after(delay(), deliver);
  }
  void heal() { faults_.slow = faults_.lost = faults_.repeated = 0; }

 private:
  Duration delay() {
    return world_.chance(faults_.slow) ? world_.duration(faults_.usual, faults_.longest)
                                       : world_.duration(faults_.shortest, faults_.usual);
  }

  World& world_;
  NetworkFaults faults_;
};

}  // namespace latchkey::simulation
