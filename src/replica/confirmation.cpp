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

Confirmation confirmation_of(const Look& look, const Commit& commit, const HistoryOf& history_of) {
  Confirmation out{look.began < commit.by ? Enforcement::pending : Enforcement::confirmed, {}, {}};
  for (const auto& sight : look.replicas) {
    const bool ended_before = sight.newest.phase == Phase::stopped && sight.silent_from < commit.by;
    if (ended_before) continue;
    const Verdict verdict = judge(sight, commit, look.began, history_of(sight.newest));
    if (!passes(verdict)) out.enforcement = Enforcement::pending;
    out.replicas.push_back({sight.newest.id, sight.newest.name, verdict});
  }
  return out;
}

}  // namespace latchkey::replica
