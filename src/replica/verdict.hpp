#pragma once

// Whether a change is enforced, by what is known of the replicas. Pure. The proof: replica/replica_registry.hpp.

#include <chrono>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "key/change.hpp"
#include "replica/replica_report.hpp"

namespace latchkey::replica {

/// A replica as the manager has seen it; moments are the manager's.
struct ObservedReplica {
  ReplicaReport newest;
  bool heard = false;     // it has reported since the manager began to watch
  bool vanished = false;  // from the registry, without having stopped
  BootTime silent_from;   // no later report had arrived by RegistrySnapshot::began
  /// Once it follows another life, its silence here is no proof (replica/replica_registry.hpp).
  bool may_report_elsewhere = false;
};

struct RegistrySnapshot {
  BootTime began;
  std::vector<ObservedReplica> replicas;
};

/// A change that was committed by the manager's moment `by`. Its nonce is that of the commit itself: what a later look
/// finds at its position may be of another history already.
struct Commit {
  LogEnd change;
  BootTime by;
  std::uint32_t kind = oldest_change_kind;  // as the store's log has it (LogSnapshot::find())
};

enum class Verdict : std::uint8_t {
  applied,
  fenced,
  stopped,
  waiting,      // may still decide by a view without the change
  other_epoch,  // the same, and follows another life of the database, or a history that was undone; while it may report
                // to a registry of that life, only it or an operator can end this
  outdated,     // of a release that does not understand the change: wherever its view stands, it may decide without it
};
std::string_view to_string(Verdict verdict);

/// Whether the replica can no longer decide by a view without the change.
constexpr bool passes(Verdict verdict) { return verdict <= Verdict::stopped; }

/// What two clocks may run apart within such a time: 0.2 %, four times what NTP slews, and 10 ms.
Duration margin_of(std::chrono::milliseconds max_staleness);

/// How old its view may be by now.
Duration lag_of(const ObservedReplica& sight, BootTime look_began);

/// No report of it has arrived for so long that it has fenced itself.
bool is_fenced_by_silence(const ObservedReplica& sight, BootTime look_began);

/// Whether the store's log, as it is now, has the change that a replica said it applied last.
enum class History : std::uint8_t { of_the_store, another };

Verdict verdict_of(const ObservedReplica& sight, const Commit& commit, BootTime look_began, History history);

}  // namespace latchkey::replica
