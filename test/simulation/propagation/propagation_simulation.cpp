#include "propagation/propagation_simulation.hpp"

#include <array>

namespace latchkey::simulation::propagation {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::size_t live_keys = 6;

AccessKey new_key(Random& random) {
  AccessKey key;
  key.id = KeyId::generate({1'767'225'600'000}, random);
  key.user_id = "user";
  return key;
}

}  // namespace

PropagationSimulation::PropagationSimulation(std::uint64_t seed, const Climate& climate, Bug bug)
    : climate_(climate),
      bug_(bug),
      world_(seed),
      random_(seed),
      network_(world_, climate.network),
      store_clock_(world_, 1, {}),
      store_(store_clock_, random_, world_),
      service_{std::make_shared<StreamServer>(StreamData(), 1, bug), nullptr},
      judge_(world_, store_),
      manager_(world_, registry_, store_, judge_, bug) {
  for (std::size_t i = 0; i < climate.relays; ++i) start(*relays_.emplace_back(std::make_unique<Relay>()));
  for (std::size_t i = 0; i < climate.replicas; ++i) start(*replicas_.emplace_back(std::make_unique<Replica>()));
  every(climate.between_commits, [this] { commit(); });
  every(milliseconds(500), [this] { keep_dump(); });
  begin_machine_faults();
  begin_store_faults();
  begin_stream_faults();
}

Outcome PropagationSimulation::run() {
  const auto over = [this] { return !judge_.violation().empty(); };
  const std::function<void()> watch = [&] {
    manager_.look();
    for (const auto& replica : replicas_) judge_.look_at_decisions(*replica->node);
    world_.after(milliseconds(40), watch);
  };
  watch();
  world_.run_until(climate_.lasts, over);
  quiet_down();
  world_.run_until(world_.now() + seconds(14), over);  // who was paused at last goes on within five
  for (const auto& replica : replicas_) {
    if (!over()) judge_.expect_settled(*replica->node);
    outcome_.loads += replica->node->loads();
  }
  for (const auto& relay : relays_) outcome_.lives += relay->node->stats().begun;
  outcome_.violation = judge_.violation();
  outcome_.confirmations = judge_.confirmations();
  outcome_.decisions = judge_.decisions();
  return outcome_;
}

void PropagationSimulation::start(Replica& replica) {
  replica.node.reset();
  replica.last.loads = 0;
  replica.node = std::make_unique<ReplicaNode>(common(), registry_, replica.cuts,
                                               [this, &replica] { judge_.look_at(*replica.node, replica.last); });
}

void PropagationSimulation::start(Relay& relay) {
  relay.node.reset();
  relay.node = std::make_unique<RelayNode>(common(), relay.cuts);
}

// --- What happens ---------------------------------------------------------------------------------------------------

void PropagationSimulation::every(Duration mean, const std::function<void()>& happens) {
  if (mean.count() == 0 || quiet_) return;
  world_.after(world_.duration({}, 2 * mean), [this, mean, happens] {
    if (quiet_) return;
    happens();
    every(mean, happens);
  });
}

void PropagationSimulation::commit() {
  ++outcome_.commits;
  if (keys_.size() < live_keys) {
    keys_.push_back(new_key(random_));
    store_.put(keys_.back());
    return;
  }
  AccessKey& key = keys_[world_.pick(keys_.size())];
  key.requests_per_minute = 1 + static_cast<std::uint32_t>(world_.pick(1000));
  key.disabled = world_.chance(0.4);
  const std::size_t made = store_.put(key);
  if (!key.disabled) return;
  manager_.revoked(made);
  std::swap(key, keys_.back());
  keys_.pop_back();
}

void PropagationSimulation::fault(Duration mean, std::function<void()> happens) {
  every(mean, [this, happens = std::move(happens)] {
    ++outcome_.faults;
    happens();
  });
}

void PropagationSimulation::begin_machine_faults() {
  fault(climate_.crash, [this] { crash(); });
  fault(climate_.pause, [this] {
    const Duration time = world_.duration({}, seconds(world_.chance(0.3) ? 5 : 1));
    world_.chance(0.5) ? any_relay().node->pause(time) : any_replica().node->pause(time);
  });
  fault(climate_.cut, [this] {
    Cuts& cuts = world_.chance(0.5) ? any_relay().cuts : any_replica().cuts;
    cut(world_.chance(0.5) ? cuts.store : cuts.stream);
  });
  fault(climate_.relay_outage, [this] { relay_outage(); });
  fault(climate_.registry_loss, [this] { lose_registry(); });
  fault(climate_.clock_step, [this] { step_clock(); });
}

void PropagationSimulation::begin_store_faults() {
  fault(climate_.store_outage, [this] { store_outage(); });
  fault(climate_.store_failover, [this] { go_back_in_a_while(true); });
  fault(climate_.store_restore, [this] { go_back_in_a_while(false); });
}

void PropagationSimulation::begin_stream_faults() {
  const auto some_dump = [this] { return dumps_.empty() ? StreamData() : dumps_[world_.pick(dumps_.size())]; };
  fault(climate_.stream_loss, [this, some_dump] {
    if (world_.chance(0.5)) return service_.current->flush();
    replace_stream(world_.chance(0.5) ? StreamData() : some_dump(), false);
  });
  fault(climate_.stream_failover, [this, some_dump] { replace_stream(some_dump(), true); });
  fault(climate_.stream_damage, [this] {
    world_.chance(0.6) ? service_.current->lose_entry(world_.pick(1000)) : service_.current->lose_chunk(world_.pick(9));
  });
}

void PropagationSimulation::crash() {
  switch (world_.pick(5)) {
    case 0:
      return manager_.restart();
    case 1:
    case 2:
      return start(any_relay());
    default:
      return start(any_replica());
  }
}

void PropagationSimulation::lose_registry() {
  registry_.reports().lose_everything();
  manager_.registry_was_lost();
}

void PropagationSimulation::step_clock() {
  const Duration by = world_.duration({}, std::chrono::hours(2)) - std::chrono::hours(1);
  world_.chance(0.5) ? any_relay().node->step_wall(by) : any_replica().node->step_wall(by);
}

void PropagationSimulation::cut(bool& way) {
  way = true;
  world_.after(world_.duration({}, seconds(world_.chance(0.3) ? 5 : 1)), [&way] { way = false; });
}

void PropagationSimulation::relay_outage() {
  const Duration time = world_.duration({}, seconds(4));
  for (const auto& relay : relays_) relay->node->pause(time);
}

void PropagationSimulation::store_outage() {
  for (const auto& relay : relays_) cut(relay->cuts.store);
  for (const auto& replica : replicas_) cut(replica->cuts.store);
}

/// A failover to a standby that lags; or a backup that is put back in place, the registry with it or not.
void PropagationSimulation::go_back_in_a_while(bool another_life) {
  const Duration lag = world_.duration({}, milliseconds(another_life ? 600 : 3000));
  world_.after(lag, [this, another_life, state = store_.store().backup()] {
    if (quiet_ || !store_.go_back_to(state, another_life)) return;
    if (!another_life && world_.chance(0.5)) lose_registry();
    keys_.clear();
    for (const auto& [id, key] : state.keys) {
      if (!key.disabled && keys_.size() < live_keys) keys_.push_back(key);
    }
  });
}

/// Another server process at the address. It may count nudges from anywhere: its clock is another.
void PropagationSimulation::replace_stream(StreamData data, bool former_stays) {
  if (service_.former) service_.former->stop();
  service_.former =
      std::exchange(service_.current, std::make_shared<StreamServer>(std::move(data), 1 + world_.pick(1000), bug_));
  if (!former_stays) return service_.former->stop();
  world_.after(world_.duration({}, seconds(5)), [former = service_.former] { former->stop(); });
}

void PropagationSimulation::keep_dump() {
  dumps_.push_back(service_.current->data());
  if (dumps_.size() > 4) dumps_.erase(dumps_.begin());
}

void PropagationSimulation::quiet_down() {
  quiet_ = true;
  network_.heal();
  if (service_.former) service_.former->stop();
  for (const auto& relay : relays_) relay->cuts = {};
  for (const auto& replica : replicas_) replica->cuts = {};
}

}  // namespace latchkey::simulation::propagation
