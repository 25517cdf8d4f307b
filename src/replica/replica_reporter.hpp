#pragma once

#include <fmt/format.h>

#include "base/error.hpp"
#include "replica/replica_report.hpp"

namespace latchkey::replica {

/// The replica's way to the registry. Every engine passes the suite in replica/testing/replica_registry_suite.hpp. One
/// thread.
class ReplicaReporter {
 public:
  virtual ~ReplicaReporter() = default;

  /// Puts this report in place of the replica's one before. Returns the number of this replica's newest report that is
  /// known to be in the registry, where every later look() finds it or a newer one: this one's where the engine writes
  /// there itself, an earlier one's (0: none yet) where others carry it on. An error leaves open whether it arrived.
  /// Waits for a bounded time only.
  ///
  /// A report is known only if it was written. Where the registry has one of this id that is as new or newer and that
  /// this caller did not write, another process reports as this replica: the data directory was put back from an older
  /// copy, or runs twice. ErrorCode::conflict to the replica itself. To a relay, which carries reports of many on, the
  /// number that is there: the replica learns from it the same.
  virtual Result<std::uint64_t> report(const ReplicaReport& report) = 0;
};

/// What is said to a replica if its report is older than what the registry has of it.
inline Error another_reports(const ReplicaReport& report) {
  return Error(ErrorCode::conflict, "the registry has a later report of this replica than its own",
               fmt::format("replica {}, report {}", report.id.to_string(), report.number));
}

}  // namespace latchkey::replica
