#pragma once

#include "base/error.hpp"
#include "replica/replica_report.hpp"

namespace latchkey::replica {

/// The replica's way to the registry. Every engine passes the suite in replica/replica_registry_suite.hpp. One thread.
class ReplicaReporter {
 public:
  virtual ~ReplicaReporter() = default;

  /// Puts this report in place of the replica's one before. Returns the number of this replica's newest report that is
  /// known to be in the registry, where every later look() finds it or a newer one: this one's where the engine writes
  /// there itself, an earlier one's (0: none yet) where others carry it on. An error leaves open whether it arrived.
  /// Waits for a bounded time only.
  virtual Result<std::uint64_t> report(const ReplicaReport& report) = 0;
};

}  // namespace latchkey::replica
