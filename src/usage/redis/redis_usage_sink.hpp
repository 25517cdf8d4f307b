#pragma once

#include "redis/link.hpp"
#include "usage/usage_sink.hpp"

namespace latchkey::usage {

/// Hands batches to the stream in Redis, from which a relay carries them on (usage/redis/usage_stream.hpp).
class RedisUsageSink final : public UsageSink {
 public:
  /// Connects when first used. `clock` outlives it.
  RedisUsageSink(const redis::Address& address, const Clock& clock, redis::Timeouts timeouts = {})
      : link_(address, timeouts, clock), clock_(clock) {}

  Result<bool> write(const PackedBatch& batch) override;

 private:
  Result<bool> ask(const PackedBatch& batch, bool add);

  redis::Link link_;
  const Clock& clock_;
  std::uint64_t added_ = 0;  // seq of the batch that was added last
  BootTime added_at_{};
};

}  // namespace latchkey::usage
