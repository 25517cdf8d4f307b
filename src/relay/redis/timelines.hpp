#pragma once

#include "redis/link.hpp"
#include "relay/succession.hpp"

namespace latchkey::relay {

/// The hash of succession.hpp in Redis. One thread.
class RedisTimelines {
 public:
  /// Connects when first used. `clock` outlives it.
  RedisTimelines(const redis::Address& address, const Clock& clock, redis::Timeouts timeouts = {})
      : link_(address, timeouts, clock) {}

  Result<Claim> claim(const Lineage& own);

 private:
  redis::Link link_;
};

}  // namespace latchkey::relay
