#pragma once

// A relay's half of replica/redis/report_stream.hpp: takes reports from Redis, puts the newest of each replica into the
// registry, and tells the replica through Redis that it is there.

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include "redis/link.hpp"
#include "replica/replica_reporter.hpp"

namespace latchkey::replica {

/// Either start() and stop(), or step() by one thread.
class ReportDrain {
 public:
  /// Of which epoch the stream is that this relay follows; nullopt: it follows none, and so acknowledges nothing.
  using FollowedEpoch = std::function<std::optional<Epoch>()>;

  /// `registry` and `clock` outlive it, and what `followed` asks.
  ReportDrain(const redis::Address& address, ReplicaReporter& registry, const Clock& clock, FollowedEpoch followed,
              redis::Timeouts timeouts = {});
  ~ReportDrain();
  ReportDrain(const ReportDrain&) = delete;
  ReportDrain& operator=(const ReportDrain&) = delete;

  void start();
  void stop();

  /// Waits up to `patience` for reports, and carries on those that came. An error: Redis or the registry is not
  /// available; what was not carried on is said again by its replica.
  Result<void> step(std::chrono::milliseconds patience);

 private:
  using Newest = std::map<ReplicaId, ReplicaReport>;

  Result<Newest> read(std::chrono::milliseconds patience);
  Result<void> carry(const Newest& reports, Epoch epoch);
  Result<void> tell(const std::map<ReplicaId, std::uint64_t>& known);
  void note(const Result<void>& done);
  void run();

  redis::Link link_;
  ReplicaReporter& registry_;
  const Clock& clock_;
  const FollowedEpoch followed_;
  std::uint64_t generation_ = 0;    // of the connection that `last_` was read on
  std::string last_ = "0";          // the entry read last
  Newest owed_;                     // last words of replicas that could not be carried on
  BootTime heard_{};                // when there was one
  std::optional<BootTime> failed_;  // when it did last, from when that was said until it is over
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace latchkey::replica
