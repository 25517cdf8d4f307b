#include "replica/verdict.hpp"

#include <algorithm>

namespace latchkey::replica {
namespace {

Duration fence_of(const ObservedReplica& sight) {
  return sight.newest.max_staleness + margin_of(sight.newest.max_staleness);
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::applied:
      return "applied";
    case Verdict::fenced:
      return "fenced";
    case Verdict::stopped:
      return "stopped";
    case Verdict::waiting:
      return "waiting";
    case Verdict::other_epoch:
      return "other-epoch";
    case Verdict::outdated:
      break;
  }
  return "outdated";
}

Duration margin_of(std::chrono::milliseconds max_staleness) {
  return Duration(max_staleness) / 500 + std::chrono::milliseconds(10);
}

Duration lag_of(const ObservedReplica& sight, BootTime look_began) {
  return sight.newest.view_age + std::max(look_began - sight.silent_from, Duration::zero());
}

bool is_fenced_by_silence(const ObservedReplica& sight, BootTime look_began) {
  return look_began - sight.silent_from >= fence_of(sight);
}

// Example: the change was committed by 12:00:00 at E.43. A replica that reported E.43 on the same history has applied
// it. Another was heard last at 11:59:20, with a max_staleness of 30 s: it refuses by itself since 11:59:50, so it is
// fenced.
Verdict verdict_of(const ObservedReplica& sight, const Commit& commit, BootTime look_began, History history) {
  if (look_began < commit.by) return Verdict::waiting;  // what was seen before the change proves nothing
  if (sight.newest.phase == Phase::stopped) return Verdict::stopped;
  const auto& applied = sight.newest.applied;
  const bool same_log =
      !applied || (applied->epoch == commit.change.position.epoch && history == History::of_the_store);
  const bool understood = sight.newest.understands >= commit.kind;
  const bool there = applied && same_log && applied->seq >= commit.change.position.seq;
  if (sight.heard && there && understood) return Verdict::applied;
  const bool silence_is_proof = same_log || !sight.may_report_elsewhere;
  if (silence_is_proof && is_fenced_by_silence(sight, look_began)) return Verdict::fenced;
  if (!same_log) return Verdict::other_epoch;
  if (!understood) return Verdict::outdated;  // it may pass over the change, or have: its view's age proves nothing
  return look_began - commit.by >= fence_of(sight) ? Verdict::fenced : Verdict::waiting;
}

}  // namespace latchkey::replica
