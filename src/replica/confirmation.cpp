#include "replica/confirmation.hpp"

#include <algorithm>

namespace latchkey::replica {

std::string_view to_string(Enforcement enforcement) {
  switch (enforcement) {
    case Enforcement::confirmed:
      return "confirmed";
    case Enforcement::pending:
      return "pending";
    case Enforcement::unknown:
      return "unknown";
    case Enforcement::lost:
      break;
  }
  return "lost";
}

std::size_t Confirmation::count(Verdict verdict) const {
  return static_cast<std::size_t>(std::count_if(replicas.begin(), replicas.end(),
                                                [verdict](const auto& replica) { return replica.verdict == verdict; }));
}

Confirmation confirmation_of(const RegistrySnapshot& look, const Commit& commit, const HistoryOf& history_of) {
  Confirmation out{look.began < commit.by ? Enforcement::pending : Enforcement::confirmed, {}, {}};
  for (const auto& sight : look.replicas) {
    const bool ended_before = sight.newest.phase == Phase::stopped && sight.silent_from < commit.by;
    if (ended_before) continue;
    const Verdict verdict = verdict_of(sight, commit, look.began, history_of(sight.newest));
    if (!passes(verdict)) out.enforcement = Enforcement::pending;
    out.replicas.push_back({sight.newest.id, sight.newest.name, verdict});
  }
  return out;
}

Confirmation confirmation_of(const RegistrySnapshot& look, LogSnapshot& log, Commit& commit) {
  const auto there = log.find(commit);
  const Position& wanted = commit.change.position;
  bool unread = !there;  // something of the log that would have to be known
  auto found = confirmation_of(look, commit, [&](const ReplicaReport& report) {
    const bool may_hold = report.applied && report.applied->epoch == wanted.epoch && report.applied->seq >= wanted.seq;
    if (!may_hold) return History::of_the_store;
    const auto has = log.has(*report.applied, report.applied_nonce);
    if (!has) unread = true;
    return !has || *has ? History::of_the_store : History::another;
  });
  if (there && !*there) found.enforcement = Enforcement::lost;
  if (unread && found.enforcement == Enforcement::confirmed) found.enforcement = Enforcement::unknown;
  return found;
}

}  // namespace latchkey::replica
