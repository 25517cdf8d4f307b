#include "limit/local/local_limiter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "limit/testing/charge_suite.hpp"
#include "limit/testing/rate_limiter_suite.hpp"

namespace latchkey::limit {
namespace {

INSTANTIATE_TEST_SUITE_P(Local, RateLimiterSuite,
                         testing::Values([](ManualClock& clock) { return std::make_unique<LocalLimiter>(clock); }));
INSTANTIATE_TEST_SUITE_P(Local, ChargeSuite,
                         testing::Values([](ManualClock& clock) { return std::make_unique<LocalLimiter>(clock); }));

std::vector<KeyId> make_keys(std::size_t count, std::uint64_t seed) {
  SeededRandom random(seed);
  std::vector<KeyId> keys(count);
  for (KeyId& key : keys) key = KeyId::generate({1'767'225'600'000}, random);
  return keys;
}

TEST(LocalLimiterTest, ThreadsOnManyKeysGetEachLimitExactly) {
  ManualClock clock;
  LocalLimiter limiter(clock);
  const auto keys = make_keys(5'000, 1);
  std::vector<std::atomic<std::uint32_t>> admitted(keys.size());
  const auto limit_of = [](std::size_t i) { return static_cast<std::uint32_t>(1 + i % 100); };
  const auto work = [&](std::size_t stride) {
    for (std::size_t n = 0; n < 60 * keys.size(); ++n) {
      const std::size_t i = n * stride % keys.size();
      if (limiter.try_admit(keys[i], {.requests_per_minute = limit_of(i)})->admitted) ++admitted[i];
    }
  };
  std::vector<std::thread> crowd;
  for (const std::size_t stride : {1U, 7U, 11U}) crowd.emplace_back(work, stride);  // coprime to 5,000
  for (auto& thread : crowd) thread.join();
  for (std::size_t i = 0; i < keys.size(); ++i) ASSERT_EQ(admitted[i].load(), limit_of(i));
}

// Waves of strangers, more than any cache of counters would keep, must not wash out a key that has used its limit.
TEST(LocalLimiterTest, NoCrowdOfOtherKeysMakesItForget) {
  ManualClock clock;
  LocalLimiter limiter(clock);
  const KeyId spent = make_keys(1, 2).front();
  ASSERT_TRUE(limiter.try_admit(spent, {.requests_per_minute = 1})->admitted);
  for (std::uint64_t wave = 0; wave < 6; ++wave) {
    clock.advance(std::chrono::seconds(10));
    for (const KeyId& key : make_keys(20'000, 100 + wave)) limiter.try_admit(key, {.requests_per_minute = 5});
    ASSERT_FALSE(limiter.try_admit(spent, {.requests_per_minute = 1})->admitted) << "wave " << wave;
  }
}

TEST(LocalLimiterTest, EveryLiveKeyIsRememberedWhileIdleOnesAreSwept) {
  ManualClock clock;
  LocalLimiter limiter(clock);
  for (std::uint64_t wave = 0; wave < 6; ++wave) {
    const auto keys = make_keys(10'000, wave);
    for (const KeyId& key : keys) ASSERT_TRUE(limiter.try_admit(key, {.requests_per_minute = 1})->admitted);
    clock.advance(std::chrono::seconds(59));
    for (const KeyId& key : keys) ASSERT_FALSE(limiter.try_admit(key, {.requests_per_minute = 1})->admitted);
  }
}

TEST(LocalLimiterTest, MemoryFollowsTheLiveKeysNotAllKeysEverSeen) {
  ManualClock clock;
  LocalLimiter limiter(clock);
  constexpr std::size_t per_wave = 10'000;
  for (std::uint64_t wave = 0; wave < 20; ++wave) {
    for (const KeyId& key : make_keys(per_wave, 1'000 + wave)) limiter.try_admit(key, {.requests_per_minute = 60});
    clock.advance(std::chrono::seconds(62));
  }
  EXPECT_LE(limiter.size().blocks, 4 * per_wave) << "chunks double, so twice the need is the worst case";
}

TEST(LocalLimiterTest, IdleKeysAreSweptThoughNoNewOnesCome) {
  ManualClock clock;
  LocalLimiter limiter(clock);
  const auto keys = make_keys(20'000, 3);
  for (const KeyId& key : keys) limiter.try_admit(key, {.requests_per_minute = 60});
  ASSERT_EQ(limiter.size().keys, keys.size());
  clock.advance(std::chrono::seconds(62));
  for (int round = 0; round < 200; ++round) {
    for (std::size_t i = 0; i < 10'000; ++i) limiter.try_admit(keys[i], {.requests_per_minute = 60});
  }
  EXPECT_LE(limiter.size().keys, 10'500U) << "only a shard that nobody calls may keep its idle keys";
}

TEST(LocalLimiterTest, TakesNoNewBlockForAWarmKeyWhateverItsLimitBecomes) {
  ManualClock clock;
  LocalLimiter limiter(clock);
  const auto keys = make_keys(100, 4);
  for (const KeyId& key : keys) limiter.try_admit(key, {.requests_per_minute = 60});
  const auto before = limiter.size();
  for (int i = 0; i < 2'000; ++i) {
    for (const KeyId& key : keys) limiter.try_admit(key, {.requests_per_minute = i % 2 == 0 ? 60U : 6'000U});
    clock.advance(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(limiter.size().blocks, before.blocks);
}

TEST(LocalLimiterTest, DecidesLaterAtOnceToo) {
  ManualClock clock;
  LocalLimiter limiter(clock);
  const KeyId key = make_keys(1, 5).front();
  std::vector<bool> admitted;
  for (int i = 0; i < 2; ++i) {
    limiter.admit_later(key, {.requests_per_minute = 1}, [&](Decision d) { admitted.push_back(d.admitted); });
  }
  EXPECT_EQ(admitted, (std::vector<bool>{true, false}));
}

TEST(LocalLimiterTest, WallTimePlaysNoPart) {
  ManualClock clock;
  LocalLimiter limiter(clock);
  const KeyId key = make_keys(1, 6).front();
  ASSERT_TRUE(limiter.try_admit(key, {.requests_per_minute = 1})->admitted);
  clock.set_wall({clock.wall().count + 3'600'000});
  EXPECT_FALSE(limiter.try_admit(key, {.requests_per_minute = 1})->admitted);
}

}  // namespace
}  // namespace latchkey::limit
