#pragma once

// What every RateLimiter must do, whatever it stands on. An engine's test includes this and says
//
//   INSTANTIATE_TEST_SUITE_P(Local, RateLimiterSuite, testing::Values([](const ManualClock& clock) { return …; }));

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "limit/rate_limiter.hpp"

namespace latchkey::limit {

using EngineFactory = std::function<std::unique_ptr<RateLimiter>(ManualClock&)>;

class RateLimiterSuite : public testing::TestWithParam<EngineFactory> {
 protected:
  /// By whichever way the engine decides.
  Decision admit(const KeyId& key, std::uint32_t requests_per_minute) {
    const Limit limit{.requests_per_minute = requests_per_minute, .version = version_};
    if (auto at_once = engine_->try_admit(key, limit)) return *at_once;
    std::promise<Decision> decided;
    engine_->admit_later(key, limit, [&decided](Decision decision) { decided.set_value(decision); });
    return decided.get_future().get();
  }
  /// How many of `attempts` are admitted without time passing.
  std::uint32_t admitted_of(std::uint32_t attempts, const KeyId& key, std::uint32_t requests_per_minute) {
    std::uint32_t admitted = 0;
    for (std::uint32_t i = 0; i < attempts; ++i) admitted += admit(key, requests_per_minute).admitted ? 1 : 0;
    return admitted;
  }
  Allowance peek(const KeyId& key, std::uint32_t requests_per_minute) {
    return engine_->peek(key, {.requests_per_minute = requests_per_minute, .version = version_});
  }
  void change_limit() { ++version_; }
  KeyId new_key() { return KeyId::generate(clock_.wall(), random_); }

  ManualClock clock_;
  SeededRandom random_{20260131};
  std::uint64_t version_ = 1;
  std::unique_ptr<RateLimiter> engine_ = GetParam()(clock_);
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RateLimiterSuite);

TEST_P(RateLimiterSuite, AdmitsTheLimitAndNoMore) {
  for (const std::uint32_t limit : {1U, 2U, 63U, 64U, 65U, 1'000U, 100'000U}) {
    EXPECT_EQ(admitted_of(limit + 10, new_key(), limit), limit);
  }
}

TEST_P(RateLimiterSuite, AClosedMinuteHoldsOneLimitOnly) {
  for (const std::uint32_t limit : {1U, 64U, 65U, 1'000U}) {
    const KeyId key = new_key();
    clock_.advance(std::chrono::milliseconds(999));  // the last moment of a second: where fixed windows break
    ASSERT_EQ(admitted_of(limit, key, limit), limit);
    clock_.advance(std::chrono::milliseconds(1));
    EXPECT_FALSE(admit(key, limit).admitted) << "limit " << limit;
    clock_.advance(window - std::chrono::milliseconds(1));
    EXPECT_FALSE(admit(key, limit).admitted) << "60 s later is the same closed minute, limit " << limit;
  }
}

TEST_P(RateLimiterSuite, AfterSixtyOneSecondsAllIsBack) {
  for (const std::uint32_t limit : {1U, 64U, 65U, 1'000U}) {
    const KeyId key = new_key();
    ASSERT_EQ(admitted_of(limit + 1, key, limit), limit);
    clock_.advance(std::chrono::seconds(61));
    EXPECT_EQ(admitted_of(limit + 1, key, limit), limit);
  }
}

TEST_P(RateLimiterSuite, RefusalsCostNothing) {
  const KeyId key = new_key();
  ASSERT_EQ(admitted_of(5, key, 5), 5U);
  for (int second = 0; second < 61; ++second) {
    admit(key, 5);
    clock_.advance(std::chrono::seconds(1));
  }
  EXPECT_TRUE(admit(key, 5).admitted);
}

TEST_P(RateLimiterSuite, KeysDoNotShare) {
  const KeyId one = new_key();
  const KeyId other = new_key();
  ASSERT_EQ(admitted_of(4, one, 3), 3U);
  EXPECT_EQ(admitted_of(4, other, 3), 3U);
}

TEST_P(RateLimiterSuite, ALoweredLimitHoldsAtOnce) {
  const KeyId key = new_key();
  ASSERT_EQ(admitted_of(100, key, 200), 100U);
  change_limit();
  EXPECT_FALSE(admit(key, 50).admitted);
  EXPECT_EQ(peek(key, 50).remaining, 0U);
}

TEST_P(RateLimiterSuite, ARaisedLimitHoldsAtOnce) {
  const KeyId key = new_key();
  ASSERT_EQ(admitted_of(11, key, 10), 10U);
  change_limit();
  EXPECT_EQ(admitted_of(101, key, 100), 90U);
}

TEST_P(RateLimiterSuite, LoweringAndRaisingAgainForgetsNothing) {
  const KeyId key = new_key();
  ASSERT_EQ(admitted_of(1'000, key, 1'000), 1'000U);
  change_limit();
  ASSERT_FALSE(admit(key, 50).admitted);
  change_limit();
  EXPECT_FALSE(admit(key, 1'000).admitted);
}

TEST_P(RateLimiterSuite, WaitingRetryAfterIsEnough) {
  for (const std::uint32_t limit : {1U, 7U, 64U, 65U, 500U}) {
    const KeyId key = new_key();
    ASSERT_EQ(admitted_of(limit, key, limit), limit);
    clock_.advance(std::chrono::milliseconds(20'300));
    const Decision refused = admit(key, limit);
    ASSERT_FALSE(refused.admitted);
    ASSERT_GE(refused.retry_after_seconds, 1U);
    ASSERT_LE(refused.retry_after_seconds, 61U);
    clock_.advance(std::chrono::seconds(refused.retry_after_seconds));
    EXPECT_TRUE(admit(key, limit).admitted) << "limit " << limit;
  }
}

TEST_P(RateLimiterSuite, ADecisionIsNeverUnavailableWhileTheEngineIsUp) {
  const KeyId key = new_key();
  EXPECT_FALSE(admit(key, 1).unavailable);
  EXPECT_FALSE(admit(key, 1).unavailable);
}

TEST_P(RateLimiterSuite, PeekTakesNothing) {
  const KeyId key = new_key();
  EXPECT_EQ(peek(key, 3).remaining, 3U);
  EXPECT_EQ(peek(key, 3).reset_seconds, 0U);
  ASSERT_TRUE(admit(key, 3).admitted);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(peek(key, 3).remaining, 2U);
  EXPECT_GE(peek(key, 3).reset_seconds, 1U);
  EXPECT_EQ(admitted_of(3, key, 3), 2U);
}

TEST_P(RateLimiterSuite, ThreadsTogetherGetTheLimitExactly) {
  constexpr std::uint32_t threads = 4;
  for (const std::uint32_t limit : {10U, 64U, 1'000U}) {
    const KeyId key = new_key();
    std::atomic<std::uint32_t> admitted{0};
    std::vector<std::thread> crowd;
    for (std::uint32_t t = 0; t < threads; ++t) {
      crowd.emplace_back([&] { admitted += admitted_of(limit, key, limit); });
    }
    for (auto& thread : crowd) thread.join();
    EXPECT_EQ(admitted.load(), limit);
  }
}

}  // namespace latchkey::limit
