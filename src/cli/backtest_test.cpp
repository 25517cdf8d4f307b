#include "cli/backtest.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "base/time_text.hpp"
#include "limit/local/local_limiter.hpp"

namespace latchkey::cli {
namespace {

constexpr const char* key_text = "0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d";

std::unique_ptr<limit::RateLimiter> make_limiter(const Clock& clock) {
  return std::make_unique<limit::LocalLimiter>(clock);
}

std::string line_of(UnixMillis time, std::int64_t clock_ms, bool admitted, std::uint32_t cost = 1) {
  return fmt::format(
      R"({{"time":"{}","keyId":"{}","userId":"alice","method":"GET","path":"/v1/authorize","outcome":"{}","status":200,)"
      R"("latencyMicros":7,"clockMillis":{},"plan":"pro","cost":{},"originalMethod":"GET","originalPath":"/x"}})",
      to_rfc3339(time), key_text, admitted ? "admitted" : "rate-limited", clock_ms, cost);
}

/// A log of the limiter itself, of requests at random times.
std::vector<LoggedRequest> log_of(std::uint32_t requests_per_minute, std::uint64_t seed) {
  SeededRandom random(seed);
  ManualClock clock;
  limit::LocalLimiter limiter(clock);
  std::vector<LoggedRequest> requests;
  for (int i = 0; i < 5'000; ++i) {
    std::array<std::uint8_t, 2> draw{};
    random.fill(draw);
    clock.advance(std::chrono::microseconds(draw[0] < 3 ? draw[1] * 300'000 : draw[1] * 1'000));
    const auto decision = limiter.try_admit(*KeyId::parse(key_text), {.requests_per_minute = requests_per_minute});
    const auto read = read_logged(line_of(clock.wall(), clock.boot().nanos / 1'000'000, decision->admitted));
    EXPECT_TRUE(read);
    requests.push_back(*read);
  }
  return requests;
}

TEST(Backtest, TheLimitInForceRefusesExactlyWhatTheLogSays) {
  for (const std::uint32_t limit : {1U, 5U, 64U, 65U, 300U}) {
    auto requests = log_of(limit, limit);
    std::rotate(requests.begin(), requests.begin() + 7, requests.end());  // lines of several threads
    const auto test =
        replay(requests, *parse_limit_list(fmt::format("1000000/1d,{}/1m", limit), LimitPer::key), make_limiter);
    std::vector<std::size_t> refused;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (requests[i].refused) refused.push_back(i);
    }
    EXPECT_FALSE(refused.empty());
    EXPECT_EQ(test.refused, refused) << limit;
  }
}

TEST(Backtest, AHigherLimitRefusesLessAndALowerOneMore) {
  auto requests = log_of(60, 3);
  const auto refused_by = [&](const char* limits) {
    return replay(requests, *parse_limit_list(limits, LimitPer::key), make_limiter).refused.size();
  };
  EXPECT_GT(refused_by("30/1m"), refused_by("60/1m"));
  EXPECT_GT(refused_by("60/1m"), refused_by("90/1m"));
  EXPECT_GE(refused_by("60/1m,2/1s"), refused_by("60/1m"));
  EXPECT_EQ(refused_by("1000000/1d"), 0U);
}

TEST(Backtest, AnotherBootIsAnotherClock) {
  std::vector<LoggedRequest> requests;
  for (const std::int64_t boot : {1'000'000, 5'000}) {
    const std::int64_t at = boot == 5'000 ? 1'767'225'700'000 : 1'767'225'600'000;
    for (int i = 0; i < 2; ++i) requests.push_back(*read_logged(line_of({at + i}, boot + i, true)));
  }
  EXPECT_EQ(replay(requests, *parse_limit_list("1/1m", LimitPer::key), make_limiter).refused,
            (std::vector<std::size_t>{1, 3}));
}

TEST(Backtest, CountsByDay) {
  std::vector<LoggedRequest> requests;
  const UnixMillis midnight = *parse_rfc3339("2026-01-02T00:00:00Z");
  for (int i = -3; i < 2; ++i) requests.push_back(*read_logged(line_of({midnight.count + i}, 1'000'000 + i, i < 0)));
  const auto test = replay(requests, *parse_limit_list("2/1m", LimitPer::key), make_limiter);
  ASSERT_EQ(test.days.size(), 2U);
  EXPECT_EQ(test.days.at("2026-01-01").requests, 3U);
  EXPECT_EQ(test.days.at("2026-01-01").refused, 1U);
  EXPECT_EQ(test.days.at("2026-01-02").refused, 2U);
  EXPECT_EQ(test.days.at("2026-01-02").refused_in_log, 2U);
}

TEST(Backtest, ReadsOnlyWhatCameToTheLimiter) {
  EXPECT_FALSE(read_logged("half"));
  EXPECT_FALSE(read_logged(R"({"time":"2026-01-01T00:00:00Z","keyId":null,"outcome":"admitted"})"));
  std::string plan = line_of({1'767'225'600'000}, 1, true);
  EXPECT_TRUE(read_logged(plan));
  plan.replace(plan.find("admitted"), 8, "disabled");
  EXPECT_FALSE(read_logged(plan));
}

TEST(Backtest, ALimitThatIsNoneIsNamed) {
  for (const char* bad : {"", "100", "100/", "/1m", "0/1m", "100/2d", "x/1m", "100/1m,", "-1/1m", "100/1m,,5/1s"}) {
    EXPECT_FALSE(parse_limit_list(bad, LimitPer::key)) << bad;
  }
  EXPECT_EQ(parse_limit_list("100/1m,5000/1d", LimitPer::key)->size(), 2U);
}

}  // namespace
}  // namespace latchkey::cli
