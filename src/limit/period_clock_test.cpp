#include "limit/period_clock.hpp"

#include <gtest/gtest.h>

#include "base/time_text.hpp"

namespace latchkey::limit {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class PeriodClockTest : public testing::Test {
 protected:
  UnixMillis now() { return periods_.now(clock_.wall(), clock_.boot()); }
  /// As the limiter does, ten times a second.
  void pass(Duration time) {
    for (Duration passed(0); passed < time; passed += milliseconds(100)) {
      clock_.advance(milliseconds(100));
      periods_.observe(clock_.wall(), clock_.boot());
    }
  }
  void leap(Duration by) { clock_.set_wall(clock_.wall() + by); }

  ManualClock clock_{*parse_rfc3339("2026-05-31T12:00:00Z")};
  PeriodClock periods_ = PeriodClock::beginning(clock_.wall(), clock_.boot());
};

TEST_F(PeriodClockTest, FollowsAWallClockThatRunsEvenly) {
  for (int day = 0; day < 3; ++day) {
    pass(hours(1));
    EXPECT_EQ(now(), clock_.wall());
  }
}

TEST_F(PeriodClockTest, FollowsOneThatIsSlewed) {
  for (int i = 0; i < 36'000; ++i) {  // an hour, 0.5 s a thousand seconds too fast
    clock_.advance(milliseconds(100));
    if (i % 20 == 0) leap(milliseconds(1));
    periods_.observe(clock_.wall(), clock_.boot());
    ASSERT_EQ(now(), clock_.wall());
  }
}

TEST_F(PeriodClockTest, ALeapOfAYearThatComesBackOpensNothing) {
  const UnixMillis before = now();
  leap(hours(24 * 365));
  pass(minutes(9));
  EXPECT_LE(now().count, before.count + 14 * 60'000) << "nine minutes, and the five that it may be ahead";
  leap(-hours(24 * 365));
  pass(minutes(30));
  EXPECT_EQ(now(), clock_.wall());
}

TEST_F(PeriodClockTest, ALeapThatStaysIsBelievedAfterTenMinutes) {
  leap(hours(24));
  pass(minutes(9) + seconds(59));
  EXPECT_LT(now(), clock_.wall());
  pass(seconds(2));
  EXPECT_EQ(now(), clock_.wall());
}

TEST_F(PeriodClockTest, AWallClockThatDoesNotAgreeWithItselfIsNeverBelieved) {
  const UnixMillis before = now();
  for (int i = 0; i < 40; ++i) {
    leap(hours(1));
    pass(minutes(5));
  }
  EXPECT_LE(now().count, before.count + (200 + 5) * 60'000);
}

TEST_F(PeriodClockTest, ManySmallLeapsDoNotAddUp) {
  const UnixMillis before = now();
  for (int i = 0; i < 100; ++i) {
    leap(minutes(4));
    pass(seconds(1));
    now();
  }
  EXPECT_LE(now().count, before.count + 100'000 + 5 * 60'000);
}

TEST_F(PeriodClockTest, NeverGoesBack) {
  pass(minutes(1));
  const UnixMillis latest = now();
  leap(-hours(2));
  EXPECT_EQ(now(), latest);
  pass(hours(1));
  EXPECT_EQ(now(), latest) << "even where the wall clock stays behind";
  pass(hours(1) + minutes(1));
  EXPECT_GT(now(), latest);
}

TEST_F(PeriodClockTest, AfterARebootItGoesOnWhereItWas) {
  const UnixMillis latest = now();
  leap(hours(24 * 365));
  periods_ = PeriodClock::after_reboot(latest, clock_.wall(), clock_.boot());
  EXPECT_LE(now().count, latest.count + PeriodClock::ahead_ms);
  pass(minutes(11));
  EXPECT_EQ(now(), clock_.wall());
}

TEST_F(PeriodClockTest, ForgettingBelievesTheWallClock) {
  leap(hours(24 * 365));
  pass(minutes(11));
  now();
  leap(-hours(24 * 365));
  ASSERT_GT(now(), clock_.wall());
  periods_.forget(clock_.wall(), clock_.boot());
  EXPECT_EQ(now(), clock_.wall());
}

}  // namespace
}  // namespace latchkey::limit
