#include "relay/relay.hpp"

#include <utility>

namespace latchkey::relay {

Relay::Relay(RelayEnd tail, RelayEnd snapshots, const Clock& clock, Random& random, RelayConfig config)
    : tail_end_(std::move(tail)),
      snapshot_end_(std::move(snapshots)),
      tail_(*tail_end_.source, *tail_end_.stream, clock, stats_, config.tail),
      snapshots_(*snapshot_end_.source, *snapshot_end_.stream, random, stats_, config.snapshot) {}

Relay::~Relay() { stop(); }

void Relay::start() {
  tail_thread_.start([this] {
    while (tail_thread_.sleep(tail_.step())) {
    }
  });
  snapshot_thread_.start([this] {
    while (snapshot_thread_.sleep(snapshots_.step())) {
    }
  });
}

void Relay::stop() {
  tail_thread_.ask_to_stop();
  snapshot_thread_.ask_to_stop();
  snapshots_.stop();
  tail_end_.source->wake();
  snapshot_end_.source->wake();
  tail_thread_.stop();
  snapshot_thread_.stop();
}

}  // namespace latchkey::relay
