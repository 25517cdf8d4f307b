#include "replica/report_loop.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "replica/memory/memory_registry.hpp"

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

TEST_F(Reports, SayWhereTheViewStands) {
  SlowReporter reporter;
  ReportLoop loop(reporter, view, gate, clock, random, config);
  loop.step();
  EXPECT_EQ(reporter.last.applied, std::nullopt);
  EXPECT_EQ(reporter.last.name, "here");
  view.advance({{7}, 3}, clock.boot(), 99);
  clock.advance(milliseconds(30));
  loop.step();
  EXPECT_EQ(reporter.last.applied, (Position{{7}, 3}));
  EXPECT_EQ(reporter.last.applied_nonce, 99U);
  EXPECT_EQ(reporter.last.view_age, milliseconds(30));
  EXPECT_EQ(reporter.last.number, 2U);
  view.reset();
  loop.step();
  EXPECT_EQ(reporter.last.applied, std::nullopt);
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
