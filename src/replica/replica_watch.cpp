#include "replica/replica_watch.hpp"

namespace latchkey::replica {
namespace {

bool is_old(const ObservedReplica& sight, BootTime look_began) {
  return look_began - sight.silent_from >= ReplicaWatch::remembered && is_fenced_by_silence(sight, look_began);
}

Error reports_still() {
  return Error(ErrorCode::conflict,
               "The replica has reported within its LATCHKEY_MAX_STALENESS, or this service has not watched for so "
               "long yet. Stop the replica, wait for that time, and ask again.");
}

}  // namespace

Result<RegistrySnapshot> ReplicaWatch::look() {
  const MutexLock lock(mutex_);
  const auto began = take_look();
  if (!began) return began.error();
  RegistrySnapshot look{*began, {}};
  for (const auto& [id, known] : known_) look.replicas.push_back(known.sight);
  return look;
}

Result<BootTime> ReplicaWatch::take_look() {
  const BootTime began = clock_.boot();
  const auto reports = registry_.look();
  if (!reports) return reports.error();
  const BootTime ended = clock_.boot();  // what changed may have done so until now
  for (auto& [id, known] : known_) known.present = false;
  for (const auto& report : *reports) see(report, ended);
  see_missing(ended);
  watching_ = true;
  forget_old(began);
  return began;
}

Result<ReplicaReport> ReplicaWatch::forget(const ReplicaId& id) {
  const MutexLock lock(mutex_);
  const auto began = take_look();
  if (!began) return began.error();
  const auto found = known_.find(id);
  if (found == known_.end()) return Error(ErrorCode::not_found, "no such replica");
  const auto& [sight, present, forgotten] = found->second;
  const bool silent = sight.newest.phase == Phase::stopped || is_fenced_by_silence(sight, *began);
  if (silent && present) {
    const auto removed = registry_.remove(sight.newest);
    if (!removed) return removed.error();
    if (!*removed && !forgotten) return reports_still();
  }
  if (!silent) return reports_still();
  ReplicaReport last = sight.newest;
  known_.erase(found);
  return last;
}

void ReplicaWatch::see(const ReplicaReport& report, BootTime ended) {
  const auto [found, is_new] = known_.try_emplace(report.id);
  Known& known = found->second;
  const bool told = is_new ? watching_ : known.sight.newest.number != report.number;
  if (told) known.sight.heard = true;  // at the very first look nobody can tell when what is there was written
  if (told || is_new || known.sight.vanished) known.sight.silent_from = ended;
  known.sight.newest = report;
  known.sight.may_report_elsewhere = registry_.may_fork();
  known.sight.vanished = false;
  known.forgotten = false;
  known.present = true;
}

// It may have reported up to when it vanished.
void ReplicaWatch::see_missing(BootTime ended) {
  for (auto& [id, known] : known_) {
    if (known.present || known.sight.vanished) continue;
    known.sight.vanished = true;
    if (!known.forgotten) known.sight.silent_from = ended;
  }
}

// Then it is waited for until an operator says that it has ended, by deleting its row.
bool ReplicaWatch::may_serve_elsewhere(const ObservedReplica& sight) const {
  if (!sight.may_report_elsewhere || sight.newest.phase == Phase::stopped || !sight.newest.applied) return false;
  return !epoch_ || epoch_() != sight.newest.applied->epoch;
}

// Remembered until it is gone from the registry as well, or the next look would take it for a new one.
void ReplicaWatch::forget_old(BootTime began) {
  std::erase_if(known_, [&](const auto& entry) {
    const Known& known = entry.second;
    return is_old(known.sight, began) && !known.present;
  });
  for (auto& [id, known] : known_) {
    if (!is_old(known.sight, began) || may_serve_elsewhere(known.sight)) continue;
    registry_.forget(known.sight.newest);
    known.forgotten = true;
  }
}

}  // namespace latchkey::replica
