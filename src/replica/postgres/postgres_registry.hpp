#pragma once

#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "replica/replica_registry.hpp"
#include "store/postgres/back_off.hpp"
#include "store/postgres/connection.hpp"

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
  PostgresRegistry(store::postgres::Url url, const Clock& clock, std::chrono::milliseconds max_staleness)
      : url_(std::move(url)), clock_(clock), max_staleness_(max_staleness) {}

  Result<std::vector<ReplicaReport>> look() override;
  bool may_fork() const override { return true; }
  void forget(const ReplicaReport& newest) override { static_cast<void>(remove(newest)); }
  Result<bool> remove(const ReplicaReport& newest) override;

 private:
  Result<void> make_sure_of_connection() REQUIRES(mutex_);
  Result<void> check_life() REQUIRES(mutex_);
  Result<std::vector<ReplicaReport>> read() REQUIRES(mutex_);

  const store::postgres::Url url_;
  const Clock& clock_;
  const std::chrono::milliseconds max_staleness_;
  Mutex mutex_;
  std::unique_ptr<store::postgres::Connection> connection_ GUARDED_BY(mutex_);
  store::postgres::BackOff back_off_ GUARDED_BY(mutex_);
  std::optional<BootTime> whole_from_ GUARDED_BY(mutex_);  // nullopt: it is
};

}  // namespace latchkey::replica
