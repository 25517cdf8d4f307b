#include "limit/redis/key_lease.hpp"

#include <gtest/gtest.h>

#include "limit/redis/permit_book.hpp"
#include "limit/redis/store_watch.hpp"

namespace latchkey::limit::lease {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Limit hundred{.requests_per_minute = 100, .version = Version{1}};

Reply granting(std::uint32_t permits, std::int64_t now_ms) {
  return {.granted = permits,
          .now_ms = now_ms,
          .used = permits,
          .limit = 100,
          .version = Version{1},
          .reset_at_ms = now_ms + window_ms,
          .free_at_ms = now_ms,
          .ask_at_ms = now_ms};
}

Reply refusing(std::int64_t now_ms, std::int64_t ask_at_ms) {
  return {.now_ms = now_ms,
          .used = 100,
          .limit = 100,
          .version = Version{1},
          .reset_at_ms = ask_at_ms,
          .free_at_ms = ask_at_ms,
          .ask_at_ms = ask_at_ms};
}

class KeyLeaseTest : public testing::Test {
 protected:
  Call ask(std::uint32_t waiting, std::uint32_t replicas = 1, Limit limit = hundred) {
    return lease_.next_call({}, limit, ++number_, waiting, replicas, clock_.boot());
  }
  void granted(std::uint32_t permits, std::int64_t now_ms = 10'000) {
    ASSERT_TRUE(lease_.replied(number_, granting(permits, now_ms), clock_.boot()));
  }
  bool admits() { return lease_.try_admit(hundred, clock_).value_or(Decision{}).admitted; }

  ManualClock clock_;
  KeyLease lease_;
  std::uint64_t number_ = 0;
};

TEST_F(KeyLeaseTest, SpendsWhatWasGrantedAndNoMore) {
  ask(1);
  granted(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(admits());
  EXPECT_FALSE(lease_.try_admit(hundred, clock_));
}

// Counted from before the call was sent, on a clock that may be too slow by the drift.
TEST_F(KeyLeaseTest, EndsBeforeTheSlotDoesByAnyClockWithinTheDrift) {
  ask(1);
  clock_.advance(milliseconds(80));  // the round trip: the grant may have been made at its beginning
  granted(10, 10'100);               // at most 400 ms before the end of the slot
  const BootTime asked = clock_.boot() + -milliseconds(80);
  clock_.advance(milliseconds(319));
  EXPECT_TRUE(admits());
  while (admits()) {
    const double true_ms = static_cast<double>((clock_.boot() - asked).count()) / 1e6 * (1 + drift);
    ASSERT_LT(true_ms, 400);
    clock_.advance(microseconds(100));
  }
  EXPECT_GT(clock_.boot() - asked, milliseconds(399)) << "not thrown away without need";
}

/// Half a second passes whenever it is read.
class SlowReader final : public Clock {
 public:
  UnixMillis wall() const override { return {}; }
  BootTime boot() const override { return at_ = at_ + milliseconds(500); }

 private:
  mutable BootTime at_{1'000'000'000'000};
};

TEST_F(KeyLeaseTest, AStopBetweenTakingAndReadingTheClockAdmitsNobody) {
  ask(1);
  granted(1);
  const SlowReader stopped;
  EXPECT_FALSE(lease_.try_admit(hundred, stopped));
  const Call call = ask(1);
  EXPECT_EQ(call.returned_lease, 1U);
  EXPECT_EQ(call.returned_permits, 1U) << "not spent, so it can be returned";
}

TEST_F(KeyLeaseTest, TakesOneAnswerToTheCallUnderWayOnly) {
  ask(1);
  EXPECT_FALSE(lease_.replied(number_ + 1, granting(5, 10'000), clock_.boot()));
  granted(1);
  EXPECT_FALSE(lease_.replied(number_, granting(1, 10'000), clock_.boot())) << "a repeated one";
  EXPECT_TRUE(admits());
  EXPECT_FALSE(admits());
  ask(1);
  lease_.lost();
  EXPECT_FALSE(lease_.replied(number_, granting(1, 10'000), clock_.boot())) << "too late";
}

TEST_F(KeyLeaseTest, RefusesWithoutAskingUntilSomethingMayBeFree) {
  ask(1);
  ASSERT_TRUE(lease_.replied(number_, refusing(10'000, 40'000), clock_.boot()));
  clock_.advance(seconds(29));
  const auto refused = lease_.try_admit(hundred, clock_);
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->admitted);
  EXPECT_EQ(refused->retry_after_seconds, 2U);
  EXPECT_FALSE(lease_.try_admit({.requests_per_minute = 200, .version = Version{2}}, clock_))
      << "a newer limit is asked for";
  clock_.advance(seconds(1));
  EXPECT_FALSE(lease_.try_admit(hundred, clock_));
}

TEST_F(KeyLeaseTest, ALeaseOfAnOlderLimitIsReturnedNotSpent) {
  ask(1);
  granted(10);
  EXPECT_FALSE(lease_.try_admit({.requests_per_minute = 5, .version = Version{2}}, clock_));
  EXPECT_EQ(ask(1, 1, {.requests_per_minute = 5, .version = Version{2}}).returned_permits, 10U);
}

TEST_F(KeyLeaseTest, NothingOfAnotherEpochIsSpentOrRefusedBy) {
  ask(1);
  granted(10);
  const Limit restored{.requests_per_minute = 100, .version = Version{1}, .epoch = 7};
  EXPECT_FALSE(lease_.try_admit(restored, clock_));
  EXPECT_EQ(ask(1, 1, restored).returned_permits, 10U);
  ASSERT_TRUE(lease_.replied(number_, refusing(10'000, 40'000), clock_.boot()));
  EXPECT_TRUE(lease_.try_admit(restored, clock_));
  EXPECT_FALSE(lease_.try_admit(hundred, clock_));
}

TEST_F(KeyLeaseTest, BatchesFollowDemandUpToAShare) {
  std::vector<std::uint32_t> wanted;
  for (int i = 0; i < 6; ++i) {
    wanted.push_back(ask(1, 3).wanted);
    granted(wanted.back());
    while (admits()) {
    }
  }
  EXPECT_EQ(wanted, (std::vector<std::uint32_t>{1, 2, 4, 8, 8, 8})) << "100 / (4 · 3) = 8";
  clock_.advance(seconds(2));
  EXPECT_EQ(ask(1, 3).wanted, 1U) << "cold again";
}

TEST_F(KeyLeaseTest, AnEndedLeaseIsReturnedByACallThatWantsNothing) {
  ask(3);
  granted(3);
  ASSERT_TRUE(admits());
  EXPECT_FALSE(lease_.holds_unspent(clock_.boot()));
  clock_.advance(milliseconds(600));
  ASSERT_TRUE(lease_.holds_unspent(clock_.boot()));
  const Call call = ask(0);
  EXPECT_EQ(call.wanted, 0U);
  EXPECT_EQ(call.returned_lease, 1U);
  EXPECT_EQ(call.returned_permits, 2U);
  EXPECT_FALSE(lease_.holds_unspent(clock_.boot()));
}

TEST_F(KeyLeaseTest, WhatALostCallReturnedAndMayHaveBeenGrantedIsSaidAgainUntilItIsHeard) {
  ask(3);
  granted(3);
  ASSERT_TRUE(admits());
  ask(1);
  lease_.lost();
  EXPECT_TRUE(lease_.holds_unspent(clock_.boot()));
  ask(1);
  lease_.lost();
  const Call call = ask(0);
  EXPECT_EQ(call.returned_lease, 1U);
  EXPECT_EQ(call.returned_permits, 2U);
  EXPECT_EQ(call.lost_since, 2U);
  granted(0);
  EXPECT_FALSE(lease_.holds_unspent(clock_.boot()));
  EXPECT_EQ(ask(1).lost_since, 0U);
}

class PermitRecordTest : public testing::Test {
 protected:
  Reply ask(std::uint64_t number, std::uint32_t wanted, std::uint64_t lost_since = 0) {
    Call call{.key = {}, .limit = hundred, .number = number, .wanted = wanted};
    call.lost_since = lost_since;
    return record_.answer(call, 1, {.now_ms = 10'000, .store_ms = 10'000, .raw_ms = 10'000});
  }
  PermitRecord record_;
};

TEST_F(PermitRecordTest, TakesBackWhatALostCallWasGranted) {
  ASSERT_EQ(ask(1, 100).granted, 100U);
  EXPECT_EQ(ask(3, 100, 2).granted, 0U) << "the first one was not lost";
  EXPECT_EQ(ask(4, 100, 1).granted, 100U);
}

constexpr std::int64_t slots_of_a_second = 2;

TEST(TermsTest, TheHighestVersionOfAnEpochHolds) {
  const Terms named = Terms().after({20, 5, 1}, 0).after({100, 4, 1}, 1);
  EXPECT_EQ(named.in_force(1), 20U);
  EXPECT_EQ(named.after({100, 6, 1}, 2).in_force(2), 100U);
}

TEST(TermsTest, AfterARestoreTheLowerOfBothHoldsForAWindow) {
  const Terms before = Terms().after({100, 50, 1}, 0);
  Terms lowered = before.after({5, 2, 9}, 1);
  EXPECT_EQ(lowered.in_force(1), 5U) << "though its version is the lower one";
  lowered = lowered.after({100, 50, 1}, 2);
  EXPECT_EQ(lowered.in_force(2), 5U) << "a view of the old epoch raises nothing";

  Terms raised = before.after({500, 2, 9}, 1);
  EXPECT_EQ(raised.in_force(1), 100U);
  for (std::int64_t slot = 2; slot <= 1 + slots_in_window; slot += slots_of_a_second)
    raised = raised.after({500, 2, 9}, slot);
  EXPECT_EQ(raised.in_force(1 + slots_in_window), 100U);
  EXPECT_EQ(raised.in_force(2 + slots_in_window), 500U);
}

TEST(TermsTest, WhatNobodyNamedForAWindowIsForgotten) {
  const Terms named = Terms().after({20, 5, 1}, 0);
  EXPECT_EQ(named.after({100, 4, 1}, slots_in_window).in_force(slots_in_window), 20U);
  EXPECT_EQ(named.after({100, 4, 1}, slots_in_window + 1).in_force(slots_in_window + 1), 100U);
}

TEST_F(PermitRecordTest, GrantsNothingToACallThatWasRepeatedOrOvertaken) {
  ASSERT_EQ(ask(2, 10).granted, 10U);
  EXPECT_EQ(ask(2, 10, 1).granted, 0U);
  EXPECT_EQ(ask(1, 10).granted, 0U);
  EXPECT_EQ(record_.used(), 10U);
}

class StoreClockTest : public testing::Test {
 protected:
  /// By one that has seen the clock where it is, and knows no better.
  std::int64_t call(std::int64_t raw_ms, std::int64_t vouched_ms) {
    return clock_
        .advance({.run = 1, .vouched_ms = vouched_ms, .steps = clock_.steps, .confirms_clock_step = true}, raw_ms)
        .now_ms;
  }
  StoreClock clock_{.raw_ms = 100'000, .run = 1};
};

TEST_F(StoreClockTest, FollowsTheClockThatItsCallersVouchFor) {
  EXPECT_EQ(call(160'000, 159'990), 160'000);
  EXPECT_EQ(call(160'100, 159'950), 160'100) << "a round trip is not a step";
  EXPECT_EQ(clock_.steps, 0U);
}

TEST_F(StoreClockTest, LeavesOutAStepForward) {
  EXPECT_EQ(call(3'700'010, 100'010), 100'010);
  EXPECT_EQ(clock_.steps, 1U);
  EXPECT_EQ(call(3'700'020, 3'700'020), 100'020);
}

TEST_F(StoreClockTest, StandsStillOverAStepBackAndIsNotFooledByTheWayThere) {
  EXPECT_EQ(call(40'000, -1), 100'000);
  EXPECT_EQ(call(40'100, 40'100), 100'100);
  // Back where it was: a replica that slept through both vouches for it, by what it knew before.
  const auto slept = clock_.advance({.run = 1, .vouched_ms = 101'000, .steps = 0}, 101'000);
  EXPECT_EQ(slept.now_ms, 100'100);
  EXPECT_FALSE(slept.certain);
}

// A minute passes without a call, in which the clock steps back by half of it.
TEST_F(StoreClockTest, IsNotFooledByTheWayThereOfAStepBackThatNobodyMet) {
  EXPECT_EQ(call(130'000, 160'000), 130'000);
  const auto slept = clock_.advance({.run = 1, .vouched_ms = 161'000, .steps = 0}, 161'000);
  EXPECT_EQ(slept.now_ms, 130'000);
  EXPECT_FALSE(slept.certain);
}

TEST_F(StoreClockTest, OneWhoKnowsNothingAddsNoTime) {
  EXPECT_EQ(call(100'200, -1), 100'200) << "within the tolerance";
  EXPECT_EQ(call(500'000, -1), 100'200);
}

// Three seconds pass; a call from before them, and one that knows nothing, say nothing about them.
TEST_F(StoreClockTest, LeavesTimeInDoubtToOneWhoCanVouchForIt) {
  for (const std::int64_t vouched_ms : {100'000, -1}) {
    const auto in_doubt = clock_.advance({.run = 1, .vouched_ms = vouched_ms}, 103'000);
    EXPECT_FALSE(in_doubt.certain);
    EXPECT_EQ(in_doubt.now_ms, 100'000);
  }
  const auto proven = clock_.advance({.run = 1, .vouched_ms = 102'990}, 103'000);
  EXPECT_TRUE(proven.certain);
  EXPECT_EQ(proven.now_ms, 103'000);
  EXPECT_EQ(clock_.steps, 0U);
}

TEST_F(StoreClockTest, AnotherRunIsClosedForAWindow) {
  const auto moment = clock_.advance({.run = 2}, 100'000);
  EXPECT_EQ(clock_.closed_until_ms, moment.now_ms + window_ms);
}

// As a server does that followed another one for a moment. An operator's word does not weigh against a witness.
TEST_F(StoreClockTest, AStoreThatHasForgottenCallsIsClosedForAWindow) {
  clock_.calls = 10;
  clock_.advance({.run = 1, .calls = 10}, 100'000);
  EXPECT_EQ(clock_.calls, 11U);
  EXPECT_EQ(clock_.closed_until_ms, 0);
  const auto moment = clock_.advance({.run = 1, .calls = 20}, 100'000, StoreClock::History::none);
  EXPECT_EQ(clock_.closed_until_ms, moment.now_ms + window_ms);
  EXPECT_EQ(clock_.calls, 21U);
}

class StoreWatchTest : public testing::Test {
 protected:
  /// Times in milliseconds of the caller's clock.
  Caller at(std::int64_t ms) const {
    Caller caller;
    watch_.vouch(caller, boot(ms));
    return caller;
  }
  void saw(std::int64_t raw_ms, std::uint64_t steps, bool certain, std::int64_t sent_ms, std::int64_t received_ms) {
    watch_.saw({.raw_ms = raw_ms, .steps = steps, .certain = certain}, boot(sent_ms), boot(received_ms));
  }
  static BootTime boot(std::int64_t ms) { return {ms * 1'000'000}; }
  StoreWatch watch_;
};

TEST_F(StoreWatchTest, VouchesForNoMoreThanPassed) {
  EXPECT_EQ(at(1'000).vouched_ms, -1);
  saw(50'000, 0, true, 1'000, 1'100);
  EXPECT_LE(at(2'100).vouched_ms, 51'000);
  EXPECT_GE(at(2'100).vouched_ms, 50'990);
  saw(51'200, 0, true, 2'100, 2'100);  // 200 ms ahead of that: a delay, or too small a step to see
  EXPECT_LE(at(2'100).vouched_ms, 51'010);
  saw(20'000, 1, true, 2'100, 2'100);
  EXPECT_NEAR(static_cast<double>(at(2'100).vouched_ms), 20'000, 2);
}

TEST_F(StoreWatchTest, LearnsNothingFromASlowAnswer) {
  saw(50'000, 0, true, 1'000, 1'200);
  EXPECT_EQ(at(2'000).vouched_ms, -1);
}

TEST_F(StoreWatchTest, InsistsOnAStepAndNotOnADelay) {
  saw(50'000, 0, true, 1'000, 1'000);
  saw(52'000, 0, false, 1'000, 3'000);
  EXPECT_FALSE(at(3'000).confirms_clock_step) << "it was on its way for so long";
  saw(59'000, 0, false, 3'000, 3'000);
  EXPECT_TRUE(at(3'000).confirms_clock_step);
  EXPECT_LE(at(3'000).vouched_ms, 52'000) << "by what it knew before the step";
  saw(59'100, 1, true, 3'100, 3'100);
  EXPECT_FALSE(at(3'100).confirms_clock_step);
}

TEST_F(StoreWatchTest, InsistsWhereItCanNeverVouch) {
  saw(50'000, 0, false, 1'000, 1'000);
  EXPECT_TRUE(at(1'000).confirms_clock_step);
  EXPECT_EQ(at(1'000).vouched_ms, -1);
}

}  // namespace
}  // namespace latchkey::limit::lease
