#include "replica/verdict.hpp"

#include <gtest/gtest.h>

#include "replica/confirmation.hpp"

namespace latchkey::replica {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr BootTime start{1'000'000'000'000};
constexpr Epoch ours{7};
constexpr Epoch another{8};
constexpr LogEnd wanted{{ours, 42}, 1};
constexpr std::uint32_t newer_kind = 3;

constexpr BootTime at(milliseconds after_start) { return start + after_start; }

/// A replica of 10 s staleness that has been heard of just now.
ObservedReplica sight(std::optional<Position> applied, BootTime silent_from = start) {
  ObservedReplica out;
  out.newest.applied = applied;
  out.newest.max_staleness = seconds(10);
  out.heard = true;
  out.silent_from = silent_from;
  return out;
}

ObservedReplica unheard(Position applied) {
  ObservedReplica out = sight(applied);
  out.heard = false;
  return out;
}

/// The registry is a table of the store, and every epoch of the store has one.
ObservedReplica of_a_fork(ObservedReplica out) {
  out.may_report_elsewhere = true;
  return out;
}

ObservedReplica stopped(std::optional<Position> applied) {
  ObservedReplica out = sight(applied);
  out.newest.phase = Phase::stopped;
  return out;
}

/// Of the release before, where the change is of a kind that this one brought.
ObservedReplica outdated(ObservedReplica out) {
  out.newest.understands = newer_kind - 1;
  return out;
}

ObservedReplica understanding(ObservedReplica out) {
  out.newest.understands = newer_kind;
  return out;
}

constexpr milliseconds fence{10'030};  // 10 s, 0.2 % of it, 10 ms

struct Case {
  const char* name;
  ObservedReplica sight;
  milliseconds look_began;  // after start; the commit is by start
  Verdict verdict;
  History history = History::of_the_store;
  std::uint32_t kind = oldest_change_kind;
};

class Verdicts : public testing::TestWithParam<Case> {};

TEST_P(Verdicts, AreByTheTable) {
  const auto& c = GetParam();
  EXPECT_EQ(verdict_of(c.sight, {wanted, start, c.kind}, at(c.look_began), c.history), c.verdict) << to_string(c.verdict);
}

const Case cases[] = {
    {"Reached", sight(Position{ours, 42}), milliseconds(0), Verdict::applied},
    {"Passed", sight(Position{ours, 43}), milliseconds(0), Verdict::applied},
    {"OneBehind", sight(Position{ours, 41}), milliseconds(0), Verdict::waiting},
    {"Loading", sight(std::nullopt), milliseconds(0), Verdict::waiting},
    {"NotHeardOfYet", unheard({ours, 99}), milliseconds(0), Verdict::waiting},
    {"AnotherEpochIsNeverGreater", sight(Position{another, 99}), milliseconds(0), Verdict::other_epoch},
    {"StoppedBehind", stopped(Position{ours, 1}), milliseconds(0), Verdict::stopped},
    {"StoppedInAnotherEpoch", stopped(Position{another, 1}), milliseconds(0), Verdict::stopped},
    {"BehindJustBeforeTheFence", sight(Position{ours, 41}, at(fence)), fence - milliseconds(1), Verdict::waiting},
    {"BehindAtTheFence", sight(Position{ours, 41}, at(fence)), fence, Verdict::fenced},
    {"LoadingAtTheFence", sight(std::nullopt, at(fence)), fence, Verdict::fenced},
    {"NotHeardOfAtTheFence", unheard({ours, 99}), fence, Verdict::fenced},
    {"AnotherEpochStillReporting", sight(Position{another, 9}, at(fence)), fence, Verdict::other_epoch},
    {"AnotherEpochSilent", sight(Position{another, 9}), fence, Verdict::fenced},
    {"AnotherLifeSilentHereMayServeThere", of_a_fork(sight(Position{another, 9})), 100 * fence, Verdict::other_epoch},
    {"UndoneHistorySilentHereMayServeThere", of_a_fork(sight(Position{ours, 99})), 100 * fence, Verdict::other_epoch,
     History::another},
    {"AnotherLifeStoppedHere", of_a_fork(stopped(Position{another, 9})), milliseconds(0), Verdict::stopped},
    {"OursSilentWhereTheRegistryMayFork", of_a_fork(sight(Position{ours, 41})), fence, Verdict::fenced},
    {"SilentLongBefore", sight(Position{ours, 1}, at(-fence)), milliseconds(0), Verdict::fenced},
    {"SilentNotQuiteSoLong", sight(Position{ours, 1}, at(milliseconds(1) - fence)), milliseconds(0), Verdict::waiting},
    {"AppliedThenSilent", sight(Position{ours, 42}, at(-fence)), milliseconds(0), Verdict::applied},
    {"OnAnUndoneHistory", sight(Position{ours, 99}, at(fence)), fence, Verdict::other_epoch, History::another},
    {"OnAnUndoneHistorySilent", sight(Position{ours, 99}), fence, Verdict::fenced, History::another},
    {"OnAnUndoneHistoryStopped", stopped(Position{ours, 99}), milliseconds(0), Verdict::stopped, History::another},
    {"SeenBeforeTheCommit", sight(Position{ours, 42}), milliseconds(-1), Verdict::waiting},
    {"UnderstoodAndReached", understanding(sight(Position{ours, 42})), milliseconds(0), Verdict::applied,
     History::of_the_store, newer_kind},
    {"OlderKindsAreUnderstoodByAll", outdated(sight(Position{ours, 42})), milliseconds(0), Verdict::applied},
    {"PassedOverByAnOlderRelease", outdated(sight(Position{ours, 99})), milliseconds(0), Verdict::outdated,
     History::of_the_store, newer_kind},
    {"BeforeWhatAnOlderReleaseMayPassOver", outdated(sight(Position{ours, 41}, at(fence))), fence, Verdict::outdated,
     History::of_the_store, newer_kind},
    {"PassedOverAndStillReporting", outdated(sight(Position{ours, 99}, at(100 * fence))), 100 * fence,
     Verdict::outdated, History::of_the_store, newer_kind},
    {"OutdatedAndSilent", outdated(sight(Position{ours, 99})), fence, Verdict::fenced, History::of_the_store,
     newer_kind},
    {"OutdatedAndStopped", outdated(stopped(Position{ours, 41})), milliseconds(0), Verdict::stopped,
     History::of_the_store, newer_kind},
    {"OutdatedInAnotherLife", outdated(of_a_fork(sight(Position{another, 99}))), 100 * fence, Verdict::other_epoch,
     History::of_the_store, newer_kind},
    {"StoppedSeenBeforeTheCommit", stopped(std::nullopt), milliseconds(-1), Verdict::waiting},
};
INSTANTIATE_TEST_SUITE_P(Table, Verdicts, testing::ValuesIn(cases),
                         [](const auto& test) { return std::string(test.param.name); });

Confirmation confirmation(const RegistrySnapshot& look, const Commit& commit) {
  return confirmation_of(look, commit, [](const auto&) { return History::of_the_store; });
}

TEST(Confirmation, NeedsEveryReplica) {
  RegistrySnapshot look{start, {sight(Position{ours, 42}), sight(Position{ours, 42})}};
  EXPECT_EQ(confirmation(look, {wanted, start}).enforcement, Enforcement::confirmed);
  look.replicas.push_back(sight(Position{ours, 41}));
  const auto behind = confirmation(look, {wanted, start});
  EXPECT_EQ(behind.enforcement, Enforcement::pending);
  EXPECT_EQ(behind.count(Verdict::applied), 2U);
  EXPECT_EQ(behind.count(Verdict::waiting), 1U);
}

TEST(Confirmation, IsTrueOfNoReplicaAtAllButNotOfALookFromBefore) {
  EXPECT_EQ(confirmation({start, {}}, {wanted, start}).enforcement, Enforcement::confirmed);
  EXPECT_EQ(confirmation({at(milliseconds(-1)), {}}, {wanted, start}).enforcement, Enforcement::pending);
}

TEST(Confirmation, IsSilentAboutThoseThatHadStopped) {
  const RegistrySnapshot look{at(seconds(1)), {stopped(std::nullopt)}};
  EXPECT_TRUE(confirmation(look, {wanted, at(seconds(1))}).replicas.empty());
  EXPECT_EQ(confirmation(look, {wanted, start}).replicas.size(), 1U);
}

}  // namespace
}  // namespace latchkey::replica
