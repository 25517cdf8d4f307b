#pragma once

// The stream in Redis: the keys and rules of feed/redis/layout.hpp.

#include "redis/link.hpp"
#include "relay/stream.hpp"

namespace latchkey::relay {

class RedisStream final : public Stream {
 public:
  /// Connects when first used. `clock` outlives it.
  RedisStream(const redis::Address& address, const Clock& clock, redis::Timeouts timeouts = {})
      : link_(address, timeouts, clock) {}

  Result<std::optional<Life>> look() override;
  Result<std::optional<Tick>> tick(const std::string& life, Epoch epoch) override;
  Result<AppendOutcome> append(const std::string& life, const LogEnd& after, std::span<const Change> changes,
                               std::optional<Tick> beat) override;
  Result<void> end(const std::string& life) override;
  Result<void> write_chunk(const Snapshot& snapshot, std::string_view rows) override;
  Result<void> write_seed(const Seed& seed, std::span<const Change> changes) override;
  Result<void> discard(const Snapshot& snapshot, const Seed& seed) override;
  Result<Published> begin(const Snapshot& snapshot, const Seed& seed) override;
  Result<Published> attach(const std::string& life, const Snapshot& snapshot) override;

 private:
  Result<redis::Reply> run(const redis::Command& command);
  Result<void> run_all(std::span<const redis::Command> commands);

  redis::Link link_;
};

}  // namespace latchkey::relay
