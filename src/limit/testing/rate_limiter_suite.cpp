#include "limit/testing/rate_limiter_suite.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace latchkey::limit {

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

// 2 admitted 5 s apart, then the limit becomes 1: the first permit that returns leaves none over.
TEST_P(RateLimiterSuite, ResetIsEnoughAfterALimitWasLowered) {
  for (const std::uint32_t limit : {2U, 64U, 65U, 500U}) {
    const KeyId key = new_key();
    ASSERT_EQ(admitted_of(limit - 1, key, limit), limit - 1);
    clock_.advance(std::chrono::seconds(5));
    ASSERT_TRUE(admit(key, limit).admitted);
    clock_.advance(std::chrono::milliseconds(100));
    change_limit();
    const Allowance before = peek(key, 1);
    EXPECT_EQ(before.remaining, 0U);
    EXPECT_GE(before.reset_seconds, 60U) << "limit " << limit;
    const Decision refused = admit(key, 1);
    ASSERT_FALSE(refused.admitted);
    EXPECT_EQ(refused.reset_seconds, refused.retry_after_seconds) << "limit " << limit;
    EXPECT_EQ(peek(key, 1).reset_seconds, refused.reset_seconds) << "limit " << limit;
    clock_.advance(std::chrono::seconds(refused.reset_seconds));
    EXPECT_TRUE(admit(key, 1).admitted) << "limit " << limit;
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
