#include "replica/report_loop.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/testing/temporary_directory.hpp"
#include "replica/memory/memory_registry.hpp"
#include "store/not_made.hpp"

namespace latchkey::replica {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What is reported becomes known when the test says so, as where a relay carries it.
class SlowReporter final : public ReplicaReporter {
 public:
  Result<std::uint64_t> report(const ReplicaReport& report) override {
    last = report;
    return known;
  }
  ReplicaReport last;
  std::uint64_t known = 0;
};

class Reports : public testing::Test {
 protected:
  /// Whether a view that is current as of now may be decided by.
  bool open() const { return gate.admits(clock.boot(), clock.boot()); }

  ManualClock clock;
  SeededRandom random{1};
  view::View view;
  view::ServingGate gate;
  MemoryRegistry registry;
  ReportLoopConfig config{.name = "here", .max_staleness = seconds(10)};
};

TEST_F(Reports, ServeNothingBeforeTheFirstIsKnown) {
  SlowReporter reporter;
  ReportLoop loop(reporter, view, gate, clock, random, config);
  EXPECT_FALSE(open());
  loop.step();
  EXPECT_FALSE(open());
  reporter.known = 1;
  loop.step();
  EXPECT_TRUE(open());
}

TEST_F(Reports, ServeNoViewFromBeforeTheFirstWasKnown) {
  ReportLoop loop(registry, view, gate, clock, random, config);
  clock.advance(seconds(1));
  loop.step();
  const BootTime now = clock.boot();
  EXPECT_TRUE(gate.admits(now, now));
  EXPECT_FALSE(gate.admits(now + Duration(-1), now));
}

TEST_F(Reports, ThatDoNotArriveCloseTheGateByTheOneThatDidCountedFromItsBeginning) {
  SlowReporter reporter;
  ReportLoop loop(reporter, view, gate, clock, random, config);
  loop.step();
  clock.advance(seconds(4));
  reporter.known = 1;
  loop.step();  // report 1, begun four seconds ago, is known now
  clock.advance(seconds(6));
  EXPECT_TRUE(open());
  clock.advance(Duration(1));
  EXPECT_FALSE(open());
}

TEST_F(Reports, AfterAnInterruptionOnlyALaterViewMayBeServed) {
  ReportLoop loop(registry, view, gate, clock, random, config);
  loop.step();
  registry.set_unreachable(true);
  for (int i = 0; i < 11; ++i) {
    clock.advance(seconds(1));
    loop.step();
  }
  EXPECT_FALSE(open());
  registry.set_unreachable(false);
  const BootTime before = clock.boot();
  clock.advance(milliseconds(1));
  loop.step();
  EXPECT_FALSE(gate.admits(before, clock.boot()));
  EXPECT_TRUE(open());
}

TEST_F(Reports, WithoutInterruptionAnEarlierViewStaysGood) {
  ReportLoop loop(registry, view, gate, clock, random, config);
  loop.step();
  const BootTime first = clock.boot();
  for (int i = 0; i < 9; ++i) {
    clock.advance(seconds(1));
    loop.step();
  }
  EXPECT_TRUE(gate.admits(first, clock.boot()));
}

/// A store that has no tables yet.
class UnmadeRegistry final : public ReplicaReporter {
 public:
  Result<std::uint64_t> report(const ReplicaReport& report) override {
    if (made) return report.number;
    return store::not_made("no relation \"replicas\"");
  }
  bool made = false;
};

TEST_F(Reports, WaitQuietlyForAStoreThatIsNotMadeYet) {
  UnmadeRegistry reporter;
  ReportLoop loop(reporter, view, gate, clock, random, config);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 20; ++i) loop.step();
  reporter.made = true;
  loop.step();
  const std::string quiet = testing::internal::GetCapturedStderr();
  EXPECT_EQ(quiet.find(" warning "), std::string::npos) << quiet;
  EXPECT_EQ(std::count(quiet.begin(), quiet.end(), '\n'), 1) << quiet;
  EXPECT_TRUE(open());
  reporter.made = false;  // its tables were there, and are gone
  testing::internal::CaptureStderr();
  loop.step();
  EXPECT_NE(testing::internal::GetCapturedStderr().find(" warning "), std::string::npos);
}

TEST_F(Reports, SayWhereTheViewStands) {
  SlowReporter reporter;
  ReportLoop loop(reporter, view, gate, clock, random, config);
  loop.step();
  EXPECT_EQ(reporter.last.applied, std::nullopt);
  EXPECT_EQ(reporter.last.name, "here");
  view.advance({{7}, 3}, clock.boot(), {99});
  clock.advance(milliseconds(30));
  loop.step();
  EXPECT_EQ(reporter.last.applied, (Position{{7}, 3}));
  EXPECT_EQ(reporter.last.applied_nonce, Nonce{99});
  EXPECT_EQ(reporter.last.view_age, milliseconds(30));
  EXPECT_EQ(reporter.last.number, 2U);
  view.reset();
  loop.step();
  EXPECT_EQ(reporter.last.applied, std::nullopt);
}

class Successor : public Reports {
 protected:
  Successor() {
    view.advance({{7}, 30}, clock.boot());
    predecessor = start(gate);
    predecessor->step();  // the gate opens with this one
    clock.advance(milliseconds(1));
    view.advance({{7}, 31}, clock.boot());
    predecessor->step();  // and this one says so to the successor
  }
  std::unique_ptr<ReportLoop> start(view::ServingGate& its_gate) {
    return std::make_unique<ReportLoop>(registry, view, its_gate, clock, random, config, &file);
  }
  ReplicaReport newest() { return registry.look()->front(); }
  /// Whether the view that is there may be decided by after a restart with nobody to report to.
  bool may_decide_alone() {
    registry.set_unreachable(true);
    start(successor_gate)->step();
    registry.set_unreachable(false);
    return successor_gate.admits(view.freshness().current_as_of, clock.boot());
  }

  TemporaryDirectory directory;
  SuccessorState file{directory / "replica", "boot"};
  std::unique_ptr<ReportLoop> predecessor;
  view::ServingGate successor_gate;
};

TEST_F(Successor, OfOneThatWasKilledGoesOnAsTheSameReplica) {
  const auto before = newest();
  clock.advance(seconds(5));
  const auto loop = start(successor_gate);
  loop->step();
  EXPECT_EQ(newest().id, before.id);
  EXPECT_GT(newest().number, before.number);
  EXPECT_EQ(registry.look()->size(), 1U);
}

TEST_F(Successor, ServesAtOnceThoughNobodyCanBeToldUntilItsPredecessorHadToEnd) {
  clock.advance(seconds(9));
  EXPECT_TRUE(may_decide_alone());
  clock.advance(seconds(1));
  EXPECT_FALSE(successor_gate.admits(clock.boot(), clock.boot()));
}

TEST_F(Successor, ServesNothingOlderThanWhatItsPredecessorSaidItHad) {
  const BootTime as_of = view.freshness().current_as_of;
  view.reset();
  view.advance({{7}, 30}, as_of);
  EXPECT_FALSE(may_decide_alone());
}

TEST_F(Successor, ServesNothingOfAnotherEpoch) {
  view.advance({{8}, 99}, clock.boot());
  EXPECT_FALSE(may_decide_alone());
}

TEST_F(Successor, OfOneThatCameToItsEndIsAnother) {
  clock.advance(seconds(11));
  start(successor_gate)->step();
  EXPECT_EQ(registry.look()->size(), 2U);
}

TEST_F(Successor, OfOneThatSaidItHasStoppedIsAnother) {
  predecessor->start();
  predecessor->stop();
  EXPECT_EQ(newest().phase, Phase::stopped);
  EXPECT_FALSE(may_decide_alone());
  start(successor_gate)->step();
  EXPECT_EQ(registry.look()->size(), 2U);
}

TEST_F(Successor, OfOneThatCouldTellNobodyThatItStoppedGoesOn) {
  registry.set_unreachable(true);
  predecessor->start();
  predecessor->stop();
  registry.set_unreachable(false);
  EXPECT_EQ(newest().phase, Phase::running);
  EXPECT_TRUE(may_decide_alone());
}

TEST_F(Successor, OfAnotherBootOrAnEmptiedViewHasNothing) {
  EXPECT_TRUE(file.take());
  EXPECT_FALSE(SuccessorState(directory / "replica", "another").take());
  view.reset();
  predecessor->step();
  EXPECT_EQ(file.take()->applied, std::nullopt);
  start(successor_gate)->step();
  EXPECT_EQ(registry.look()->size(), 2U);
}

class Ended : public Successor {
 protected:
  std::optional<ReplicaReport> report_of(const ReplicaId& id) {
    for (const auto& report : registry.look().value()) {
      if (report.id == id) return report;
    }
    return std::nullopt;
  }
  /// Killed before it knew that its first report had arrived.
  ReplicaId killed_at_once(const std::string& lock) {
    config.lock = lock;
    file.leave_nothing();
    SlowReporter nobody_answers;
    ReportLoop loop(nobody_answers, view, gate, clock, random, config, &file);
    loop.step();
    registry.report(nobody_answers.last).value();
    return loop.id();
  }
};

TEST_F(Ended, IsSaidOfOneThatNobodyCanGoOnAs) {
  const auto killed = killed_at_once("lock");
  const auto loop = start(successor_gate);
  loop->step();
  EXPECT_NE(loop->id(), killed);
  EXPECT_EQ(report_of(killed)->phase, Phase::stopped);
  EXPECT_EQ(report_of(loop->id())->phase, Phase::running);
}

TEST_F(Ended, IsSaidOfOneWhoseViewHadNotLoaded) {
  view.reset();
  const auto killed = killed_at_once("lock");
  start(successor_gate)->step();
  EXPECT_EQ(report_of(killed)->phase, Phase::stopped);
}

// Its lock's file was removed, and it may still run.
TEST_F(Ended, IsNotSaidOfOneThatHadAnotherLock) {
  const auto killed = killed_at_once("removed");
  config.lock = "lock";
  start(successor_gate)->step();
  EXPECT_EQ(report_of(killed)->phase, Phase::running);
}

TEST_F(Ended, IsSaidOnceTheRegistryCanBeReached) {
  const auto killed = killed_at_once("lock");
  const auto loop = start(successor_gate);
  registry.set_unreachable(true);
  loop->step();
  registry.set_unreachable(false);
  loop->step();
  EXPECT_EQ(report_of(killed)->phase, Phase::stopped);
}

// A copy of a replica that may still run under the same id: two replicas of one id are heard as one.
TEST_F(Successor, OfACopiedDirectoryIsAnother) {
  namespace fs = std::filesystem;
  fs::copy_file(directory / "replica", directory / "copy");
  EXPECT_FALSE(SuccessorState(directory / "copy", "boot").take());
  EXPECT_TRUE(SuccessorState(directory / "replica", "boot").take());
}

// Older than what was reported since: it would serve by less than was confirmed.
TEST_F(Successor, OfACopyThatIsPutBackInPlaceIsAnother) {
  namespace fs = std::filesystem;
  fs::copy_file(directory / "replica", directory / "copy");
  predecessor->step();
  std::this_thread::sleep_for(SuccessorState::slack + milliseconds(50));
  EXPECT_TRUE(file.take()) << "however long it lies there";
  std::ofstream(directory / "replica", std::ios::binary) << std::ifstream(directory / "copy").rdbuf();
  EXPECT_FALSE(file.take());
}

// The registry knows a later report than an older copy does, and a report counts only if it was written.
TEST_F(Successor, OfAnOlderCopyThatPassesForTheFileServesNothing) {
  const auto left = *file.take();
  const auto before = newest();
  for (int i = 0; i < 3; ++i) predecessor->step();
  ASSERT_TRUE(file.leave(left));  // as it was three reports ago
  const auto loop = start(successor_gate);
  loop->step();
  EXPECT_FALSE(successor_gate.admits(clock.boot(), clock.boot()));
  EXPECT_EQ(newest().number, before.number + 3);
  clock.advance(milliseconds(1));
  loop->step();
  EXPECT_EQ(registry.look()->size(), 2U) << "it is a replica of its own";
  EXPECT_TRUE(successor_gate.admits(clock.boot(), clock.boot()));
  EXPECT_FALSE(successor_gate.admits(view.freshness().current_as_of, clock.boot()));
}

TEST_F(Reports, OfTwoThatGoByOneIdStopServingAtOnce) {
  TemporaryDirectory directory;
  SuccessorState file(directory / "replica", "boot");
  view.advance({{7}, 30}, clock.boot());
  ReportLoop original(registry, view, gate, clock, random, config, &file);
  original.step();
  original.step();  // what it left before it knew of the first is of no use
  view::ServingGate gate_of_clone;
  ReportLoop clone(registry, view, gate_of_clone, clock, random, config, &file);
  clone.step();
  ASSERT_EQ(clone.id(), original.id());
  EXPECT_TRUE(gate_of_clone.admits(clock.boot(), clock.boot()));
  original.step();
  EXPECT_FALSE(open());
  EXPECT_NE(clone.id(), original.id());
  clock.advance(milliseconds(1));
  original.step();
  EXPECT_TRUE(open());
  EXPECT_EQ(registry.look()->size(), 2U);
}

TEST_F(Reports, AreNotMadeWhileAnotherHasTheDirectory) {
  bool at_home = true;
  config.holds_directory = [&] { return at_home; };
  ReportLoop loop(registry, view, gate, clock, random, config);
  loop.step();
  EXPECT_TRUE(open());
  at_home = false;
  loop.step();
  EXPECT_FALSE(open());
  EXPECT_EQ(registry.look()->front().number, 1U);
  at_home = true;
  const BootTime before = clock.boot();
  clock.advance(milliseconds(1));
  loop.step();
  EXPECT_TRUE(open());
  EXPECT_FALSE(gate.admits(before, clock.boot()));
  EXPECT_EQ(registry.look()->size(), 2U);
}

TEST_F(Successor, WritesToTheFileThatIsThere) {
  std::filesystem::rename(directory / "replica", directory / "away");
  predecessor->step();
  EXPECT_EQ(file.take()->number, newest().number);
}

TEST_F(Successor, OfALinkedFileIsAnotherAndLeavesTheOtherItsFile) {
  namespace fs = std::filesystem;
  fs::create_hard_link(directory / "replica", directory / "link");
  SuccessorState link(directory / "link", "boot");
  EXPECT_FALSE(link.take());
  const Inheritance own{ReplicaId::generate(random), 1, Position{{7}, 31}, seconds(10), {}, {}, "lock"};
  EXPECT_TRUE(link.leave(own));
  EXPECT_EQ(link.take(), own);
  EXPECT_EQ(file.take()->id, newest().id);
}

TEST_F(Reports, OfItsThreadComeByThemselvesSoonAfterANudgeAndOnceMoreAtTheEnd) {
  config.period = std::chrono::hours(1);
  ReportLoop loop(registry, view, gate, clock, random, config);
  const auto newest = [&] {
    const auto all = registry.look().value();
    return all.empty() ? ReplicaReport{} : all.front();
  };
  loop.start();
  while (newest().number < 1) std::this_thread::yield();
  view.advance({{7}, 3}, clock.boot());
  loop.nudge();
  while (!newest().applied) std::this_thread::yield();
  EXPECT_EQ(newest().phase, Phase::running);
  loop.stop();
  EXPECT_EQ(newest().phase, Phase::stopped);
}

}  // namespace
}  // namespace latchkey::replica
