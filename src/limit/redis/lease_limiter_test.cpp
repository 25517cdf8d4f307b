#include "limit/redis/lease_limiter.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <thread>

#include "limit/redis/redis_permit_store.hpp"
#include "limit/testing/book_store.hpp"
#include "limit/testing/charge_suite.hpp"
#include "limit/testing/rate_limiter_suite.hpp"
#include "redis/testing/test_server.hpp"

namespace latchkey::limit {
namespace {

using lease::PermitStore;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::unique_ptr<RateLimiter> limiter_over_a_book(ManualClock& clock) {
  return std::make_unique<LeaseLimiter>(std::make_unique<BookStore>(open_book(), clock, clock, 1), clock);
}
INSTANTIATE_TEST_SUITE_P(LeasesFromABook, RateLimiterSuite, testing::Values(limiter_over_a_book));
INSTANTIATE_TEST_SUITE_P(LeasesFromABook, ChargeSuite, testing::Values(limiter_over_a_book));

/// One real server for all tests of this program, emptied for each.
redis::TestServer& emptied_server() {
  static redis::TestServer server;
  server.run({"FLUSHALL"});
  server.run({"SET", "latchkey:limit:no-history", "1", "EX", "60"});
  return server;
}

/// `timeout` bounds each call. A machine with other work may let the server wait for long, so a test that is not about
/// a silent server gives it a minute.
std::unique_ptr<PermitStore> store_at(const redis::TestServer& server, const Clock& clock, const Clock* server_clock,
                                      milliseconds timeout = seconds(60)) {
  static SystemRandom random;
  return std::make_unique<lease::RedisPermitStore>(
      server.address(), clock, random,
      lease::RedisPermitStoreConfig{.timeouts = {timeout, timeout}, .server_clock = server_clock});
}

/// The same for a request that waits for an answer.
LeaseLimiterConfig patient() { return {.book = {.patience = seconds(60)}}; }

void wait_until(const std::function<bool()>& is_true) {
  while (!is_true()) std::this_thread::sleep_for(milliseconds(2));
}

std::unique_ptr<RateLimiter> limiter_over_redis(ManualClock& clock) {
  return std::make_unique<LeaseLimiter>(store_at(emptied_server(), clock, &clock), clock);
}
INSTANTIATE_TEST_SUITE_P(LeasesFromRedis, RateLimiterSuite, testing::Values(limiter_over_redis));
INSTANTIATE_TEST_SUITE_P(LeasesFromRedis, ChargeSuite, testing::Values(limiter_over_redis));

KeyId key_number(std::uint64_t number) {
  SeededRandom random(number);
  return KeyId::generate({1'767'225'600'000}, random);
}

Decision admit(RateLimiter& limiter, const KeyId& key, Limit limit) {
  if (auto at_once = limiter.try_admit(key, limit)) return *at_once;
  std::promise<Decision> decided;
  limiter.admit_later(key, limit, [&](Decision decision) { decided.set_value(decision); });
  return decided.get_future().get();
}

std::uint32_t admitted_of(std::uint32_t attempts, RateLimiter& limiter, const KeyId& key, Limit limit) {
  std::uint32_t admitted = 0;
  for (std::uint32_t i = 0; i < attempts; ++i) admitted += admit(limiter, key, limit).admitted ? 1 : 0;
  return admitted;
}

TEST(LeaseLimiterTest, ReplicasShareOneLimit) {
  ManualClock clock;
  const auto book = open_book();
  std::vector<std::unique_ptr<LeaseLimiter>> replicas;
  for (std::uint64_t id = 1; id <= 3; ++id) {
    replicas.push_back(std::make_unique<LeaseLimiter>(std::make_unique<BookStore>(book, clock, clock, id), clock));
  }
  for (const std::uint32_t limit : {1U, 5U, 600U}) {
    const KeyId key = key_number(limit);
    std::uint32_t admitted = 0;
    for (std::uint32_t i = 0; i < 2 * limit; ++i) {
      admitted += admit(*replicas[i % 3], key, {limit, 1}).admitted ? 1 : 0;
    }
    EXPECT_LE(admitted, limit);
    EXPECT_GE(admitted, limit - limit / 20);
  }
}

TEST(LeaseLimiterTest, ARefusedKeyCostsNoCalls) {
  ManualClock clock;
  LeaseLimiter limiter(std::make_unique<BookStore>(open_book(), clock, clock, 1), clock);
  const KeyId key = key_number(1);
  ASSERT_EQ(admitted_of(600, limiter, key, {600, 1}), 600U);
  const auto calls = limiter.stats().calls;
  EXPECT_LE(calls, 30U) << "600 permits";
  ASSERT_EQ(admitted_of(10'000, limiter, key, {600, 1}), 0U);
  EXPECT_EQ(limiter.stats().calls, calls);
}

TEST(LeaseLimiterTest, WithoutAStoreRequestsAreRefusedAtOnceAsUnavailable) {
  SystemClock clock;
  redis::TestServer server;
  server.run({"SET", "latchkey:limit:no-history", "1"});
  LeaseLimiter limiter(store_at(server, clock, nullptr), clock, patient());
  ASSERT_TRUE(admit(limiter, key_number(1), {100, 1}).admitted);
  ASSERT_EQ(admitted_of(4, limiter, key_number(3), {3, 1}), 3U);
  server.kill();
  while (limiter.reachable()) admit(limiter, key_number(2), {100, 1});
  const auto decided = limiter.try_admit(key_number(2), {100, 1});
  ASSERT_TRUE(decided) << "nobody waits for a store that is known to be down";
  EXPECT_FALSE(decided->admitted);
  EXPECT_TRUE(decided->unavailable);
  EXPECT_FALSE(admit(limiter, key_number(3), {3, 1}).unavailable) << "what is surely used up is refused as such";
  EXPECT_GE(limiter.stats().unavailable, 1U);
}

// Whatever somebody put there: it is one key's trouble, it ends with it, and the store stays up.
TEST(LeaseLimiterTest, ABrokenRecordClosesItsOwnKeyOnly) {
  SystemClock clock;
  redis::TestServer server;
  server.run({"SET", "latchkey:limit:no-history", "1"});
  LeaseLimiter limiter(store_at(server, clock, nullptr), clock, patient());
  const std::string record = "latchkey:limit:key:" + key_number(1).to_string();
  const std::vector<std::vector<std::string>> broken{
      {"HSET", record, "foo", "bar"}, {"HSET", record, "12", "x"}, {"HSET", record, "l7", "1:2"}, {"SET", record, "5"}};
  for (const auto& words : broken) {
    SCOPED_TRACE(words[0] + " " + words[2]);
    server.run({"DEL", record});
    server.run(redis::Command(words));
    EXPECT_TRUE(admit(limiter, key_number(1), {100, 1}).unavailable);
    EXPECT_TRUE(limiter.reachable());
    EXPECT_TRUE(admit(limiter, key_number(2), {100, 1}).admitted);
  }
  server.run({"DEL", record});
  // An answer of before the DEL may still decide the first request.
  wait_until([&] { return admit(limiter, key_number(1), {100, 1}).admitted; });
}

// By itself, once nothing of before counts; a DEL by hand could meet the permits of the record that came after it.
TEST(LeaseLimiterTest, ABrokenRecordBeginsAnewOnceItsPastCountsNoMore) {
  SystemClock clock;
  redis::TestServer server;
  server.run({"SET", "latchkey:limit:no-history", "1"});
  LeaseLimiter limiter(store_at(server, clock, nullptr), clock, patient());
  const auto last_call = [&](const std::string& record, std::int64_t slots_ago) {
    const std::int64_t slot = std::stoll(server.run({"TIME"}).elements[0].text) * 1000 / lease::slot_ms;
    server.run({"ZADD", "latchkey:limit:idle", std::to_string(slot - slots_ago), record});
  };
  for (const auto& broken : {std::vector<std::string>{"HSET", "", "foo", "bar"}, {"SET", "", "5"}}) {
    SCOPED_TRACE(broken[0]);
    const KeyId key = key_number(broken.size());
    const std::string record = "latchkey:limit:key:" + key.to_string();
    std::vector<std::string> words = broken;
    words[1] = record;
    server.run(redis::Command(words));
    EXPECT_TRUE(admit(limiter, key, {2, 1}).unavailable);
    last_call(record, lease::slots_in_window / 2);
    EXPECT_TRUE(admit(limiter, key, {2, 1}).unavailable);
    last_call(record, lease::slots_in_window + 8);
    wait_until([&] { return admit(limiter, key, {2, 1}).admitted; });
    EXPECT_EQ(server.run({"TYPE", record}).text, "hash");
    EXPECT_EQ(server.run({"HEXISTS", record, "foo"}).integer, 0);
  }
}

std::uint64_t evicted_keys(const redis::TestServer& server) {
  const std::string stats = server.run({"INFO", "stats"}).text;
  const std::string name = "evicted_keys:";
  return std::stoull(stats.substr(stats.find(name) + name.size()));
}

TEST(LeaseLimiterTest, AServerThatMayForgetIsRefusedAndOneThatHasIsClosed) {
  SystemClock clock;
  redis::TestServer server;
  server.run({"SET", "latchkey:limit:no-history", "1"});
  LeaseLimiter limiter(store_at(server, clock, nullptr), clock, patient());
  ASSERT_TRUE(admit(limiter, key_number(1), {100, 1}).admitted);
  server.run({"SET", "bait", "x", "EX", "1000"});  // the only one that such a policy takes
  server.run({"CONFIG", "SET", "maxmemory-policy", "volatile-random"});
  server.run({"CONFIG", "SET", "maxmemory", "1"});
  wait_until([&] { return !limiter.reachable(); });
  EXPECT_TRUE(admit(limiter, key_number(1), {100, 1}).unavailable);
  wait_until([&] { return evicted_keys(server) != 0; });
  const BootTime evicting = clock.boot();
  server.run({"CONFIG", "SET", "maxmemory", "0"});
  wait_until([&] { return limiter.reachable(); });
  Decision closed;
  wait_until([&] {  // a call that a busy machine answers late is none
    closed = admit(limiter, key_number(1), {100, 1});
    return !closed.unavailable;
  });
  EXPECT_FALSE(closed.admitted);
  EXPECT_GT(seconds(closed.retry_after_seconds) + (clock.boot() - evicting), seconds(50));
}

// What was lost is asked back for ten seconds after it was asked for, however often that fails.
TEST(LeaseLimiterTest, ALostCallIsNotAskedBackForEver) {
  ManualClock clock;
  lease::LeaseBook book(clock, {});
  lease::LeaseBook::DecidedList decided;
  const KeyId key = key_number(1);
  ASSERT_TRUE(book.admit_later(
      key, {100, 1}, [](Decision) {}, decided));
  std::size_t calls = 0;
  for (int ms = 0; ms < 30'000; ms += 100) {
    std::vector<lease::Call> due;
    book.take_calls(due, 10, 1);
    calls += due.size();
    for (const auto& call : due) book.lost(call, decided);
    clock.advance(milliseconds(100));
    book.tick();
  }
  EXPECT_GT(calls, 50U);
  EXPECT_LE(calls, 101U);
}

TEST(LeaseLimiterTest, FailOpenAdmitsAndCounts) {
  SystemClock clock;
  redis::TestServer server;
  LeaseLimiterConfig config;
  config.book.unreachable = lease::LeaseBookConfig::Closed::admits;
  LeaseLimiter limiter(store_at(server, clock, nullptr), clock, config);
  server.kill();
  while (limiter.reachable()) admit(limiter, key_number(2), {1, 1});
  const auto before = limiter.stats().fail_open;
  EXPECT_EQ(admitted_of(10, limiter, key_number(2), {1, 1}), 10U);
  EXPECT_EQ(limiter.stats().fail_open, before + 10);
}

TEST(LeaseLimiterTest, ASilentStoreHoldsNobodyUpForLong) {
  SystemClock clock;
  redis::TestServer server;
  server.run({"SET", "latchkey:limit:no-history", "1"});
  LeaseLimiter limiter(store_at(server, clock, nullptr, milliseconds(250)), clock);
  while (!admit(limiter, key_number(1), {1'000, 1}).admitted) std::this_thread::yield();
  server.pause();
  std::size_t waited = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const KeyId key = key_number(100 + i);
    if (limiter.try_admit(key, {1'000, 1})) continue;
    ++waited;
    admit(limiter, key, {1'000, 1});
  }
  server.resume();
  EXPECT_LE(waited, 3U) << "only those that met the silence first wait for its end";
  while (!admit(limiter, key_number(1), {1'000, 1}).admitted) std::this_thread::yield();
}

TEST(LeaseLimiterTest, AnInterruptionDiscardsNoCounts) {
  SystemClock clock;
  redis::TestServer server;
  server.run({"SET", "latchkey:limit:no-history", "1"});
  LeaseLimiter limiter(store_at(server, clock, nullptr, milliseconds(250)), clock);
  const KeyId key = key_number(1);
  std::uint32_t admitted = 0;  // an answer that came too late was none
  while (admitted < 20) admitted += admitted_of(1, limiter, key, {20, 1});
  server.pause();
  while (limiter.reachable()) admit(limiter, key_number(2), {100, 1});
  server.resume();
  wait_until([&] { return limiter.reachable(); });
  EXPECT_EQ(admitted_of(20, limiter, key, {20, 1}), 0U);
}

TEST(LeaseLimiterTest, AServerThatMissesItsReplicasGrantsNothing) {
  SystemClock clock;
  redis::TestServer server({"--min-replicas-to-write", "1"});
  LeaseLimiter limiter(store_at(server, clock, nullptr), clock, patient());
  const Decision refused = admit(limiter, key_number(1), {20, 1});
  EXPECT_FALSE(refused.admitted);
  EXPECT_TRUE(refused.unavailable) << "or the other side of a split brain, once it is open, grants the limit again";
}

TEST(LeaseLimiterTest, AnEmptyServerCountsTheUnknownHistoryAsUsed) {
  SystemClock clock;
  redis::TestServer server;
  const BootTime begun = clock.boot();
  LeaseLimiter limiter(store_at(server, clock, nullptr), clock, patient());
  const Decision refused = admit(limiter, key_number(1), {20, 1});
  EXPECT_FALSE(refused.admitted);
  EXPECT_FALSE(refused.unavailable);
  EXPECT_GE(seconds(refused.retry_after_seconds) + (clock.boot() - begun), seconds(60));
  EXPECT_LE(refused.retry_after_seconds, 61U);
}

TEST(LeaseLimiterTest, AServerThatMayEvictIsRefused) {
  SystemClock clock;
  redis::TestServer server({"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"});
  const auto answer = store_at(server, clock, nullptr)->announce(PermitStore::Presence::here);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::internal);
}

TEST(LeaseLimiterTest, ReplicasAreCountedWhileTheyAreThere) {
  SystemClock clock;
  redis::TestServer server;
  const auto one = store_at(server, clock, nullptr);
  const auto other = store_at(server, clock, nullptr);
  EXPECT_EQ(one->announce(PermitStore::Presence::here)->replicas, 1U);
  EXPECT_EQ(other->announce(PermitStore::Presence::here)->replicas, 2U);
  EXPECT_EQ(one->announce(PermitStore::Presence::here)->replicas, 2U);
  EXPECT_EQ(other->announce(PermitStore::Presence::leaving)->replicas, 1U);
}

}  // namespace
}  // namespace latchkey::limit
