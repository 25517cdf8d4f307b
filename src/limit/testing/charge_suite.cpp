#include "limit/testing/charge_suite.hpp"

#include <atomic>
#include <chrono>
#include <thread>

namespace latchkey::limit {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ChargeSuite);

namespace {

ActiveLimit active(LimitSpec spec) {
  ActiveLimit limit = active_limit(spec, "plan:test").value();
  limit.version = Version{1};
  return limit;
}

ActiveLimit changed(ActiveLimit limit, std::uint32_t requests) {
  limit.requests = requests;
  ++limit.version.value;
  return limit;
}

}  // namespace

ActiveLimit ChargeSuite::window(std::string name, std::uint32_t requests, std::uint32_t window_seconds, LimitPer per,
                                LimitMode mode) {
  LimitSpec spec;
  spec.name = std::move(name);
  spec.requests = requests;
  spec.span = LimitWindow{window_seconds};
  spec.per = per;
  spec.mode = mode;
  return active(spec);
}

ActiveLimit ChargeSuite::day(std::string name, std::uint32_t requests, LimitPer per) {
  LimitSpec spec;
  spec.name = std::move(name);
  spec.requests = requests;
  spec.span = LimitPeriod{PeriodUnit::day, "UTC", 1};
  spec.per = per;
  return active(spec);
}

Verdict ChargeSuite::charge(const KeyId& key, const std::vector<ActiveLimit>& limits, std::uint32_t cost,
                            const char* user) {
  const Charge charge{key, owner_of_user(user), limits, cost};
  if (auto at_once = engine_->try_charge(charge)) return *at_once;
  std::promise<Verdict> decided;
  engine_->charge_later(charge, [&decided](Verdict verdict) { decided.set_value(verdict); });
  return decided.get_future().get();
}

std::uint32_t ChargeSuite::admitted_of(std::uint32_t attempts, const KeyId& key,
                                       const std::vector<ActiveLimit>& limits) {
  std::uint32_t admitted = 0;
  for (std::uint32_t i = 0; i < attempts; ++i) admitted += charge(key, limits).admitted() ? 1 : 0;
  return admitted;
}

Verdict ChargeSuite::look(const KeyId& key, const std::vector<ActiveLimit>& limits) {
  return engine_->look({key, owner_of_user("alice"), limits, 0});
}

void ChargeSuite::settle(const KeyId& key, const std::vector<ActiveLimit>& limits, std::uint32_t remaining) {
  pass(milliseconds(600));
  // By its thread, which looks a hundred times a second; until then what it says it has is all it knows.
  std::this_thread::sleep_for(milliseconds(100));
  for (int tries = 0; look(key, limits).standings[0].remaining != remaining; ++tries) {
    ASSERT_LT(tries, 30'000);
    std::this_thread::sleep_for(milliseconds(1));
  }
}

TEST_P(ChargeSuite, EveryWindowAdmitsItsLimitAndNoMore) {
  for (const std::uint32_t span : {1U, 7U, 60U, 61U, 3'600U, 86'400U}) {
    const KeyId key = new_key();
    const std::vector limits{window("some", 20, span)};
    ASSERT_EQ(admitted_of(25, key, limits), 20U) << span << " s";
    pass(seconds(span));
    ASSERT_EQ(admitted_of(1, key, limits), 0U) << "a closed interval of " << span << " s";
    pass(milliseconds(std::int64_t{span} * 1'000 / 60 + 1));
    ASSERT_EQ(admitted_of(25, key, limits), 20U) << "after 61/60 of " << span << " s";
  }
}

TEST_P(ChargeSuite, APeriodIsOneBudgetAndBeginsAnew) {
  const KeyId key = new_key();
  const std::vector limits{day("daily", 20)};
  ASSERT_EQ(admitted_of(15, key, limits), 15U);
  settle(key, limits, 5);
  pass(hours(22) + milliseconds(3'598'400));
  const Verdict last = charge(key, limits);
  ASSERT_TRUE(last.admitted());
  EXPECT_EQ(last.standings[0].remaining, 4U);
  ASSERT_EQ(admitted_of(9, key, limits), 4U);
  const Verdict refused = charge(key, limits);
  EXPECT_EQ(refused.outcome, Outcome::limited);
  EXPECT_GE(refused.retry_after_seconds, 1U);
  EXPECT_LE(refused.retry_after_seconds, 2U);
  pass(seconds(refused.retry_after_seconds));
  EXPECT_EQ(admitted_of(30, key, limits), 20U);
}

TEST_P(ChargeSuite, AllLimitsOrNone) {
  const KeyId key = new_key();
  const std::vector limits{window("burst", 3, 10), day("daily", 100)};
  ASSERT_EQ(admitted_of(8, key, limits), 3U);
  const Verdict refused = charge(key, limits);
  EXPECT_EQ(refused.outcome, Outcome::limited);
  EXPECT_TRUE(refused.standings[0].refuses);
  EXPECT_FALSE(refused.standings[1].refuses);
  EXPECT_EQ(refused.standings[1].remaining, 97U) << "what is refused takes nothing";
  EXPECT_LE(refused.retry_after_seconds, 11U);
  pass(seconds(refused.retry_after_seconds));
  EXPECT_TRUE(charge(key, limits).admitted());
}

TEST_P(ChargeSuite, CostsAreUnits) {
  const KeyId key = new_key();
  const std::vector limits{window("hundred", 100, 3'600), window("minute", 500, 60)};
  EXPECT_EQ(charge(key, limits, 40).standings[0].remaining, 60U);
  EXPECT_EQ(charge(key, limits, 59).standings[0].remaining, 1U);
  const Verdict refused = charge(key, limits, 2);
  EXPECT_EQ(refused.outcome, Outcome::limited);
  EXPECT_EQ(refused.standings[0].remaining, 1U);
  EXPECT_TRUE(charge(key, limits, 1).admitted());
  EXPECT_EQ(charge(key, limits, 1).outcome, Outcome::limited);
  EXPECT_TRUE(charge(key, limits, 0).admitted()) << "takes nothing";
  const Verdict never = charge(key, limits, 101);
  EXPECT_EQ(never.outcome, Outcome::cost_exceeds_limit);
  EXPECT_TRUE(never.standings[0].refuses);
  EXPECT_FALSE(never.standings[1].refuses);
}

TEST_P(ChargeSuite, RetryAfterIsEnoughForTheCostAndAllLimits) {
  const KeyId key = new_key();
  const std::vector limits{window("ten", 10, 10), window("hour", 25, 3'600)};
  ASSERT_TRUE(charge(key, limits, 6).admitted());
  pass(seconds(5));
  ASSERT_TRUE(charge(key, limits, 4).admitted());
  for (const std::uint32_t cost : {1U, 6U, 7U, 10U}) {
    const Verdict refused = charge(key, limits, cost);
    ASSERT_EQ(refused.outcome, Outcome::limited) << cost;
    pass(seconds(refused.retry_after_seconds));
    const Verdict again = charge(key, limits, cost);
    ASSERT_TRUE(again.admitted()) << "a cost of " << cost << " after " << refused.retry_after_seconds << " s";
    pass(hours(2));
    ASSERT_TRUE(charge(key, limits, 6).admitted());
    pass(seconds(5));
    ASSERT_TRUE(charge(key, limits, 4).admitted());
  }
}

TEST_P(ChargeSuite, AllKeysOfAUserShareOneCount) {
  const std::vector limits{window("burst", 6, 1, LimitPer::user), day("daily", 10, LimitPer::user)};
  const KeyId one = new_key();
  const KeyId other = new_key();
  EXPECT_EQ(admitted_of(4, one, limits) + admitted_of(4, other, limits), 6U);
  EXPECT_TRUE(charge(new_key(), limits, 1, "bob").admitted());
  pass(milliseconds(1'018));
  EXPECT_EQ(admitted_of(8, other, limits), 4U) << "of the day are left";
  EXPECT_EQ(charge(one, limits).standings[1].remaining, 0U);
}

TEST_P(ChargeSuite, KeysShareTheCountOfTheirUserButNotTheirOwn) {
  const std::vector limits{window("own", 2, 60), window("all", 5, 60, LimitPer::user)};
  const KeyId keys[] = {new_key(), new_key(), new_key()};
  std::uint32_t admitted = 0;
  for (const KeyId& key : keys) admitted += admitted_of(3, key, limits);
  EXPECT_EQ(admitted, 5U);
}

TEST_P(ChargeSuite, ThePlainLimitKeepsItsCountWhicheverWayItIsAsked) {
  const KeyId key = new_key();
  const std::vector limits{window("per-minute", 10, 60), day("daily", 100)};
  ASSERT_EQ(admitted_of(4, key, limits), 4U);
  std::uint32_t plain = 0;
  for (int i = 0; i < 60; ++i) {
    pass(milliseconds(600));  // a shared engine returns what one way did not spend
    std::this_thread::sleep_for(milliseconds(plain < 6 ? 20 : 0));
    const Limit limit{.requests_per_minute = 10, .version = Version{1}};
    auto decision = engine_->try_admit(key, limit);
    if (!decision) {
      std::promise<Decision> decided;
      engine_->admit_later(key, limit, [&](Decision later) { decided.set_value(later); });
      decision = decided.get_future().get();
    }
    plain += decision->admitted ? 1 : 0;
  }
  EXPECT_EQ(plain, 6U);
  EXPECT_EQ(admitted_of(3, key, limits), 0U);
}

TEST_P(ChargeSuite, WhatIsObservedCountsAndRefusesNothing) {
  const KeyId key = new_key();
  const auto trial = window("trial", 2, 600, LimitPer::key, LimitMode::observe);
  std::vector<bool> would;
  for (int i = 0; i < 5; ++i) {
    const Verdict verdict = charge(key, {trial});
    ASSERT_TRUE(verdict.admitted());
    would.push_back(verdict.standings[0].would_limit);
  }
  EXPECT_EQ(would, (std::vector{false, false, true, true, true}));
  ActiveLimit enforced = changed(trial, 6);
  enforced.observe = false;
  EXPECT_EQ(admitted_of(3, key, {enforced}), 1U) << "all that was admitted counts";
}

TEST_P(ChargeSuite, AChangedLimitKeepsTheCount) {
  const KeyId key = new_key();
  for (const ActiveLimit& limit : {window("hourly", 10, 3'600), day("daily", 10)}) {
    ASSERT_EQ(admitted_of(10, key, {limit}), 10U);
    EXPECT_EQ(admitted_of(8, key, {changed(limit, 15)}), 5U);
    EXPECT_EQ(admitted_of(2, key, {changed(changed(limit, 5), 5)}), 0U);
  }
}

TEST_P(ChargeSuite, ALookTakesNothing) {
  const KeyId key = new_key();
  const std::vector limits{window("five", 5, 60, LimitPer::user), day("daily", 9)};
  ASSERT_TRUE(charge(key, limits, 2).admitted());
  for (int i = 0; i < 10; ++i) {
    const Verdict left = look(key, limits);
    ASSERT_EQ(left.count, 2U);
    EXPECT_EQ(left.standings[0].remaining, 3U);
    EXPECT_EQ(left.standings[1].remaining, 7U);
  }
  EXPECT_EQ(admitted_of(5, key, limits), 3U);
}

TEST_P(ChargeSuite, ThreadsTogetherGetEveryLimitExactly) {
  const std::vector limits{window("all", 40, 3'600, LimitPer::user), day("daily", 1'000, LimitPer::user),
                           window("own", 30, 60)};
  std::atomic<std::uint32_t> admitted{0};
  std::vector<std::thread> crowd;
  for (int t = 0; t < 4; ++t) {
    crowd.emplace_back([&, key = new_key()] { admitted += admitted_of(20, key, limits); });
  }
  for (auto& thread : crowd) thread.join();
  EXPECT_EQ(admitted.load(), 40U);
}

}  // namespace latchkey::limit
