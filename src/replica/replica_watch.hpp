#pragma once

// What the manager has seen of the registry over time: which replicas have reported since, fell silent when, or
// vanished.

#include <functional>
#include <map>

#include "base/mutex.hpp"
#include "replica/replica_registry.hpp"
#include "replica/verdict.hpp"

namespace latchkey::replica {

/// Any thread may call; looks are taken one at a time.
class ReplicaWatch {
 public:
  /// Stopped or silent for so long, and fenced: no longer remembered.
  static constexpr std::chrono::minutes remembered{10};

  /// `epoch`: of the store, where a registry that may fork needs it; nullopt where it cannot be read.
  ReplicaWatch(ReplicaRegistry& registry, const Clock& clock, std::function<std::optional<Epoch>()> epoch = {})
      : registry_(registry), clock_(clock), epoch_(std::move(epoch)) {}

  /// Every replica that is in the registry, or was at a look before and did not stop. ErrorCode::unavailable when the
  /// registry cannot be read.
  Result<RegistrySnapshot> look();

  /// An operator says that this replica has ended, or is kept from every request: it is waited for no more, from now
  /// on. Returns what it reported last. ErrorCode::not_found where it is not known; ErrorCode::conflict while it may
  /// have reported within its max_staleness.
  ///
  /// The word is needed for a replica that may serve by another life of the store, which nothing here can tell. For one
  /// that reports here it is not: by its silence it has fenced itself, and once it is back in the registry its view is
  /// current as of a moment after that (replica/replica_registry.hpp, (2) and (3)), as if it were a new one.
  Result<ReplicaReport> forget(const ReplicaId& id);

 private:
  struct Known {
    ObservedReplica sight;
    bool present = true;
    bool forgotten = false;  // we had it dropped from the registry
  };

  Result<BootTime> take_look() REQUIRES(mutex_);
  void see(const ReplicaReport& report, BootTime ended) REQUIRES(mutex_);
  void see_missing(BootTime ended) REQUIRES(mutex_);
  void forget_old(BootTime began) REQUIRES(mutex_);
  bool may_serve_elsewhere(const ObservedReplica& sight) const REQUIRES(mutex_);

  ReplicaRegistry& registry_;
  const Clock& clock_;
  const std::function<std::optional<Epoch>()> epoch_;
  Mutex mutex_;
  std::map<ReplicaId, Known> known_ GUARDED_BY(mutex_);
  bool watching_ GUARDED_BY(mutex_) = false;  // the first look is over
};

}  // namespace latchkey::replica
