#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "replica/store_log.hpp"
#include "replica/verdict.hpp"

namespace latchkey::replica {

struct ReplicaVerdict {
  ReplicaId id;
  std::string name;
  Verdict verdict = Verdict::waiting;
};

enum class Enforcement : std::uint8_t {
  confirmed,  // every replica has passed
  pending,    // the time was up, or the service is stopping: the change stands, and may be enforced by now
  unknown,    // the same, and the registry or the store's log could not be read
  lost,       // the store has become another one, or an older one: the change may be gone
};
std::string_view to_string(Enforcement enforcement);

struct Confirmation {
  Enforcement enforcement = Enforcement::pending;
  std::vector<ReplicaVerdict> replicas;  // those that had stopped before the change left out
  Duration waited{};

  std::size_t count(Verdict verdict) const;
};

/// Of the history that this report speaks of.
using HistoryOf = std::function<History(const ReplicaReport&)>;

/// What one look says of a change: confirmed or pending.
Confirmation confirmation_of(const RegistrySnapshot& look, const Commit& commit, const HistoryOf& history_of);

/// What a look and the store's log, read after it, say of a change; which is of the log's epoch then, where that has
/// it.
Confirmation confirmation_of(const RegistrySnapshot& look, LogSnapshot& log, Commit& commit);

}  // namespace latchkey::replica
