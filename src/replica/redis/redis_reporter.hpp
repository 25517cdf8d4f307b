#pragma once

#include "redis/link.hpp"
#include "replica/replica_reporter.hpp"

namespace latchkey::replica {

/// Reports to the stream in Redis, from which a relay carries them on (replica/redis/report_stream.hpp).
class RedisReporter final : public ReplicaReporter {
 public:
  /// Connects when first used. `clock` outlives it.
  RedisReporter(const redis::Address& address, const Clock& clock, redis::Timeouts timeouts = {})
      : link_(address, timeouts, clock) {}

  Result<std::uint64_t> report(const ReplicaReport& report) override;

 private:
  redis::Link link_;
};

}  // namespace latchkey::replica
