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
  tail_thread_ = std::thread([this] { run([this] { return tail_.step(); }); });
  snapshot_thread_ = std::thread([this] { run([this] { return snapshots_.step(); }); });
}

void Relay::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_requested_.notify_all();
  snapshots_.stop();
  tail_end_.source->wake();
  snapshot_end_.source->wake();
  for (std::thread* thread : {&tail_thread_, &snapshot_thread_}) {
    if (thread->joinable()) thread->join();
  }
}

void Relay::run(const std::function<std::chrono::milliseconds()>& step) {
  for (;;) {
    const auto pause = step();
    std::unique_lock lock(mutex_);
    if (stop_requested_.wait_for(lock, pause, [this] { return stopping_; })) return;
  }
}

}  // namespace latchkey::relay
