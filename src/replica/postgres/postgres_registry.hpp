#pragma once

#include <chrono>
#include <optional>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "replica/replica_registry.hpp"
#include "store/postgres/link.hpp"

namespace latchkey::replica {

/// Reads the table `replicas` (store/postgres/migrations).
///
/// A replica's first report is durable before it counts as known, so its row can be missing only where the server was
/// put back to an older state, has failed over to a standby that lagged, or the table was emptied; each of these shows
/// in registry_life(). The table `registry` names the life in which nobody can be missing: that of the server as the
/// tables were made, and any in which some manager has been connected for `max_staleness`. In another, look() is
/// `unavailable` until this manager has been; then it says so there for the others, and for itself after a restart.
class PostgresRegistry final : public ReplicaRegistry {
 public:
  /// `max_staleness`: the longest that any replica has; where the table knows of a longer one, that counts. `clock`
  /// outlives this.
  PostgresRegistry(store::postgres::Url url, const Clock& clock, std::chrono::milliseconds max_staleness);

  Result<std::vector<ReplicaReport>> look() override;
  bool may_fork() const override { return true; }
  void forget(const ReplicaReport& newest) override { static_cast<void>(remove(newest)); }
  Result<bool> remove(const ReplicaReport& newest) override;

 private:
  Result<std::vector<ReplicaReport>> look_over(store::postgres::Connection& connection) REQUIRES(mutex_);
  Result<void> check_life(store::postgres::Connection& connection) REQUIRES(mutex_);

  const Clock& clock_;
  const std::chrono::milliseconds max_staleness_;
  Mutex mutex_;
  store::postgres::Link link_ GUARDED_BY(mutex_);
  std::optional<BootTime> whole_from_ GUARDED_BY(mutex_);  // nullopt: it is
};

}  // namespace latchkey::replica
