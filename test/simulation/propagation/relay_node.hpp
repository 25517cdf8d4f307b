#pragma once

// A relay as it runs: the production's Tail and SnapshotMaker, each a process with ways of its own to store and stream.

#include "base/random.hpp"
#include "node_clock.hpp"
#include "propagation/simulated_stream.hpp"
#include "propagation/store_client.hpp"
#include "relay/snapshot_maker.hpp"
#include "relay/tail.hpp"

namespace latchkey::simulation::propagation {

/// What all nodes share.
struct Common {
  World& world;
  Network& network;
  StreamService& service;
  store::MemoryStore& store;
  Random& random;
  Bug bug;
};

/// Runs within what the margin of replica/verdict.hpp allows two of them to differ by.
inline NodeClock any_clock(World& world) {
  return {world, world.real(0.9991, 1.0009), BootTime{static_cast<std::int64_t>(world.pick(1'000'000'000'000))}};
}

struct Cuts {
  bool store = false;
  bool stream = false;
};

/// One life of it; destroying it is kill -9.
class RelayNode {
 public:
  RelayNode(Common common, const Cuts& cuts);

  void pause(Duration duration) {
    tailing_.pause(duration);
    copying_.pause(duration);
  }
  void step_wall(Duration by) { clock_.step_wall(by); }
  const relay::RelayStats& stats() const { return stats_; }

 private:
  StoreClient::Way way(Process& process) const {
    return {common_.world, common_.network, process, clock_, common_.store, cuts_.store, common_.bug};
  }
  Place place(Process& process) const {
    return {common_.world, common_.network, process, clock_, common_.service, cuts_.stream, common_.bug};
  }

  Common common_;
  const Cuts& cuts_;
  mutable NodeClock clock_;
  relay::RelayStats stats_;
  Process tailing_;
  Process copying_;
};

}  // namespace latchkey::simulation::propagation
