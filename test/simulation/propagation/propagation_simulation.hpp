#pragma once

// Changes on their way from one store over relays and the stream to the views of many replicas, all of them the
// production's own code, over a network and machines that fail. What is judged by true time: propagation/judge.hpp.

#include <memory>
#include <vector>

#include "propagation/climate.hpp"
#include "propagation/judge.hpp"
#include "propagation/manager.hpp"

namespace latchkey::simulation::propagation {

struct Outcome {
  std::string violation;  // the first that was seen
  std::uint64_t commits = 0, confirmations = 0, decisions = 0, loads = 0, lives = 0, faults = 0;
};

class PropagationSimulation {
 public:
  PropagationSimulation(std::uint64_t seed, const Climate& climate, Bug bug);
  Outcome run();

 private:
  struct Replica {
    Cuts cuts;
    LastLook last;
    std::unique_ptr<ReplicaNode> node;
  };
  struct Relay {
    Cuts cuts;
    std::unique_ptr<RelayNode> node;
  };

  void start(Replica& replica);
  void start(Relay& relay);
  void every(Duration mean, const std::function<void()>& happens);
  void fault(Duration mean, std::function<void()> happens);
  void begin_machine_faults();
  void begin_store_faults();
  void begin_stream_faults();
  void commit();
  void quiet_down();

  void cut(bool& way);
  void crash();
  void relay_outage();
  void store_outage();
  void lose_registry();
  void step_clock();
  void go_back_in_a_while(bool another_life);
  void replace_stream(StreamData data, bool former_stays);
  void keep_dump();
  Common common() { return {world_, network_, service_, store_.store(), random_, bug_}; }
  Replica& any_replica() { return *replicas_[world_.pick(replicas_.size())]; }
  Relay& any_relay() { return *relays_[world_.pick(relays_.size())]; }

  const Climate climate_;
  const Bug bug_;
  World world_;
  SeededRandom random_;
  Network network_;
  NodeClock store_clock_;
  ChronicledStore store_;
  StreamService service_;
  std::vector<StreamData> dumps_;  // oldest first
  Registry registry_;
  Judge judge_;
  Manager manager_;
  std::vector<AccessKey> keys_;  // not revoked
  std::vector<std::unique_ptr<Relay>> relays_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  bool quiet_ = false;
  Outcome outcome_;
};

}  // namespace latchkey::simulation::propagation
