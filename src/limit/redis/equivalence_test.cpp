// lease.lua at a real server and PermitRecord in this process, asked the same at the same time, answer the same.
// LATCHKEY_SEED replays one seed; LATCHKEY_LONG=1 runs a campaign.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "limit/redis/redis_permit_store.hpp"
#include "limit/testing/book_store.hpp"
#include "redis/testing/test_server.hpp"

namespace latchkey::limit::lease {
namespace {

using std::chrono::milliseconds;

/// Two replicas at one server that runs by our clock, beside a book.
class Comparison {
 public:
  Comparison(const redis::TestServer& server, std::uint64_t seed) : server_(server), random_(seed) {
    server.run({"FLUSHALL"});
    if (pick(2) == 0) {
      server.run({"SET", "latchkey:limit:no-history", "1"});
      book_->history = StoreClock::History::none;
    }
    SeededRandom names(seed);
    for (Replica& replica : replicas_) {
      replica.store = std::make_unique<RedisPermitStore>(
          server.address(), replica.clock, names,
          RedisPermitStoreConfig{.timeouts = {milliseconds(5000), milliseconds(5000)}, .server_clock = &server_clock_});
    }
    SeededRandom ids(1);
    for (KeyId& key : keys_) key = KeyId::generate({1'767'225'600'000}, ids);
    // Names as the server knows them play no part in an answer, so the book may use its own.
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      replicas_[i].book = std::make_unique<BookStore>(book_, replicas_[i].clock, server_clock_, 1000 * (i + 1));
    }
  }

  void run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      pass_time();
      if (pick(100) == 0) forget_some();
      ask(replicas_[pick(replicas_.size())], next_call());
    }
  }
  std::uint64_t granted() const { return granted_; }
  std::uint64_t refused() const { return refused_; }

 private:
  struct Replica {
    ManualClock clock;
    std::unique_ptr<RedisPermitStore> store;
    std::unique_ptr<BookStore> book;
  };

  std::uint64_t pick(std::uint64_t below) { return random_() % below; }

  void pass_time() {
    std::int64_t ms = 0;
    switch (pick(6)) {
      case 0:
        ms = static_cast<std::int64_t>(pick(70'000));
        break;
      case 1:
        ms = static_cast<std::int64_t>(pick(2'000));
        break;
      case 2:
        ms = static_cast<std::int64_t>(pick(600));
        break;
      default:
        ms = static_cast<std::int64_t>(pick(20));
        break;
    }
    server_clock_.advance(milliseconds(ms));
    for (Replica& replica : replicas_) replica.clock.advance(milliseconds(ms));
    if (pick(40) == 0) server_clock_.advance(milliseconds(pick(200'000)));  // its clock steps
    if (pick(40) == 0) server_clock_.advance(-milliseconds(pick(200'000)));
  }

  /// Both have executed fewer calls than callers know of.
  void forget_some() {
    forget_some("latchkey:limit:store", book_->clock);
    for (auto& [pace, clock] : book_->fast_clocks) {
      if (pick(3) == 0) forget_some("latchkey:limit:" + std::to_string(pace) + "s", clock);
    }
  }
  void forget_some(const std::string& name, StoreClock& clock) {
    if (clock.calls == 0) return;
    clock.calls = pick(clock.calls);
    server_.run({"HSET", name, "calls", std::to_string(clock.calls)});
  }

  /// What is counted of a key is the same throughout, but for the period, which begins anew.
  Span some_span(std::uint64_t counter) {
    static constexpr std::uint32_t windows[] = {60, 1, 7, 60, 61, 3'600, 86'400};
    if (counter < std::size(windows)) return {.window_seconds = windows[counter]};
    const std::int64_t raw_ms =
        server_clock_.boot().nanos / 1'000'000 + static_cast<std::int64_t>(pick(3)) * 20'000 - 20'000;
    const std::int64_t start = raw_ms / 100'000 * 100'000;
    return {.window_seconds = 0, .period = {{start}, {start + 100'000}}};
  }

  Call next_call() {
    Call call{.key = keys_[pick(keys_.size())],
              .limit = {.requests_per_minute = static_cast<std::uint32_t>(1 + pick(pick(2) == 0 ? 5 : 200)),
                        .version = {1 + pick(4)},
                        .epoch = {UINT64_MAX - (pick(30) == 0 ? 1 : 0)}},
              .number = ++numbers_,
              .wanted = static_cast<std::uint32_t>(pick(3) == 0 ? 0 : 1 + pick(pick(2) == 0 ? 3 : 60)),
              .replicas = static_cast<std::uint32_t>(1 + pick(3))};
    call.counter = pick(9);
    call.span = some_span(call.counter);
    if (pick(3) == 0) call.least = static_cast<std::uint32_t>(1 + pick(5));
    call.wanted = call.wanted == 0 ? 0 : std::max(call.wanted, call.least);
    call.observes = pick(12) == 0;
    call.holder = pick(4) == 0 ? 1 : 0;
    call.known_used = pick(4) == 0 ? pick(300) : 0;
    call.memory = pick(2) == 0 ? present_memory : -5;
    if (!past_.empty() && pick(2) == 0) {
      const Call& returned = past_[past_.size() - 1 - pick(std::min<std::size_t>(past_.size(), 6))];
      call.key = returned.key;
      call.counter = returned.counter;
      call.span = returned.span;
      call.holder = returned.holder;
      call.returned_lease = returned.number;
      call.returned_permits = static_cast<std::uint32_t>(pick(returned.wanted + 2));
    }
    if (call.number > 3 && pick(4) == 0) call.lost_since = call.number - 1 - pick(3);
    if (!past_.empty() && pick(16) == 0) call = past_[past_.size() - 1 - pick(std::min<std::size_t>(past_.size(), 4))];
    past_.push_back(call);
    return call;
  }

  static std::string describe(const Call& call) {
    return fmt::format(
        "counter {} number {} wanted {} least {} returned {} of {} lost {} holder {} known {} in {} observes {}",
        call.counter, call.number, call.wanted, call.least, call.returned_permits, call.returned_lease, call.lost_since,
        call.holder, call.known_used, call.memory, call.observes);
  }

  void ask(Replica& replica, const Call& call) {
    // The server names its memory by a run id of its own.
    Call to_book = call;
    Call to_server = call;
    if (call.memory == present_memory) {
      to_book.memory = book_->clock.memory();
      to_server.memory = book_->clock.closed_until_ms * 1000 + run_;
    }
    const Reply expected = *replica.book->ask({&to_book, 1})->front();
    const auto replies = replica.store->ask({&to_server, 1});
    ASSERT_TRUE(replies) << replies.error().internal;
    ASSERT_TRUE(replies->front());
    SCOPED_TRACE(describe(call));
    Reply reply = *replies->front();
    EXPECT_EQ(reply.memory / 1000, expected.memory / 1000);
    run_ = reply.memory % 1000;
    reply.memory = expected.memory;
    EXPECT_EQ(reply.granted, expected.granted);
    EXPECT_EQ(reply.now_ms, expected.now_ms);
    EXPECT_EQ(reply.used, expected.used);
    EXPECT_EQ(reply.limit, expected.limit);
    EXPECT_EQ(reply.version, expected.version);
    EXPECT_EQ(reply.reset_at_ms, expected.reset_at_ms);
    EXPECT_EQ(reply.free_at_ms, expected.free_at_ms);
    EXPECT_EQ(reply.ask_at_ms, expected.ask_at_ms);
    EXPECT_EQ(reply.steps, expected.steps);
    EXPECT_EQ(reply.certain, expected.certain);
    EXPECT_EQ(reply.bounds, expected.bounds);
    EXPECT_EQ(reply.entered_ms, expected.entered_ms);
    EXPECT_EQ(reply.empty_at_ms, expected.empty_at_ms);
    EXPECT_EQ(reply.fast_raw_ms, expected.fast_raw_ms);
    EXPECT_EQ(reply.fast_certain, expected.fast_certain);
    EXPECT_EQ(reply, expected);
    granted_ += reply.granted;
    refused_ += reply.granted == 0 ? 1 : 0;
  }

  const redis::TestServer& server_;
  std::mt19937_64 random_;
  ManualClock server_clock_;
  std::array<Replica, 2> replicas_;
  std::array<KeyId, 3> keys_;
  std::shared_ptr<PermitBook> book_ = std::make_shared<PermitBook>();
  static constexpr std::int64_t present_memory = -1;
  std::int64_t run_ = 0;
  std::vector<Call> past_;
  std::uint64_t numbers_ = 0;
  std::uint64_t granted_ = 0;
  std::uint64_t refused_ = 0;
};

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(LeaseEquivalenceTest, TheScriptSaysWhatTheBookSays) {
  redis::TestServer server;
  const bool replay = std::getenv("LATCHKEY_SEED") != nullptr;
  const std::uint64_t first = replay ? setting("LATCHKEY_SEED", 0) : std::random_device()();
  const std::uint64_t seeds = replay ? 1 : setting("LATCHKEY_LONG", 0) > 0 ? 2'000 : 20;
  std::uint64_t granted = 0;
  std::uint64_t refused = 0;
  for (std::uint64_t seed = first; seed < first + seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("LATCHKEY_SEED=" + std::to_string(seed));
    Comparison comparison(server, seed);
    comparison.run(300);
    granted += comparison.granted();
    refused += comparison.refused();
  }
  EXPECT_GT(granted, 0U);
  EXPECT_GT(refused, 0U);
}

TEST(LeaseEquivalenceTest, TheServerForgetsKeysThatHoldNothing) {
  redis::TestServer server;
  server.run({"SET", "latchkey:limit:no-history", "1"});
  ManualClock clock;
  SeededRandom random(7);
  RedisPermitStore store(server.address(), clock, random,
                         {.timeouts = {milliseconds(5000), milliseconds(5000)}, .server_clock = &clock});
  constexpr std::int64_t a_wave = 500;
  for (std::uint64_t wave = 0; wave < 6; ++wave) {
    std::vector<Call> calls;
    for (std::int64_t i = 0; i < a_wave; ++i) {
      calls.push_back({.key = KeyId::generate(clock.wall(), random),
                       .limit = {60, 1},
                       .number = static_cast<std::uint64_t>(i + 1),
                       .wanted = 1});
    }
    ASSERT_TRUE(store.ask(calls));
    clock.advance(std::chrono::seconds(63));
  }
  EXPECT_LE(server.run({"DBSIZE"}).integer, 2 * a_wave + 3);
}

}  // namespace
}  // namespace latchkey::limit::lease
