// Random and adversarial arrivals at the local engine, against an exact log of what it admitted.
//
// Half of the runs keep the engine's state in a file and start it anew at any moment.
//
// The contract across changes of limit: at each admission with limit N, the admissions of the closed 60 s before it,
// itself included, are at most N. LATCHKEY_SEED replays one seed; LATCHKEY_LONG=1 runs a campaign.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>
#include <random>
#include <string>

#include "limit/local/local_limiter.hpp"
#include "limit/testing/temporary_limit_file.hpp"

namespace latchkey::limit {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// Every admission of the last minutes to the nanosecond. It knows no rounding and no forms, only the contract.
class Oracle {
 public:
  void admitted(BootTime now) { log_.push_back(now); }
  /// Admissions at or after `now` − `back`.
  std::size_t within(BootTime now, Duration back) {
    while (!log_.empty() && now - log_.front() > minutes_kept) log_.pop_front();
    const auto first = std::partition_point(log_.begin(), log_.end(), [&](BootTime t) { return now - t > back; });
    return static_cast<std::size_t>(log_.end() - first);
  }
  /// A random one of the log; the moments around its return are where rounding shows.
  BootTime any(std::mt19937_64& random, BootTime otherwise) const {
    return log_.empty() ? otherwise : log_[random() % log_.size()];
  }
  BootTime newest(BootTime otherwise) const { return log_.empty() ? otherwise : log_.back(); }

 private:
  static constexpr Duration minutes_kept = seconds(130);
  std::deque<BootTime> log_;
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed)
      : random_(seed),
        clock_({1'767'225'600'000}, {start_of(seed)}),
        durable_(seed % 2 == 0),
        limiter_(std::make_unique<LocalLimiter>(clock_, state())),
        limit_(some_limit()) {}

  void run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFatalFailure(); ++step) {
      pass_time();
      if (chance(12)) change_limit();
      if (durable_ && chance(25)) restart();
      switch (pick(6)) {
        case 0:
          return_promise();
          break;
        case 1:
          drain();
          break;
        default:
          burst(1 + pick(chance(4) ? limit_ + 2 : 5));
          break;
      }
    }
  }

  std::uint64_t admitted() const { return admitted_; }
  std::uint64_t refused() const { return refused_; }

 private:
  /// Every fourth run starts shortly before the 32-bit milliseconds wrap; the others anywhere in a second.
  static std::int64_t start_of(std::uint64_t seed) {
    const std::int64_t wrap = (std::int64_t{1} << 32) * 1'000'000;
    const auto odd = static_cast<std::int64_t>(seed * 0x9E3779B97F4A7C15ULL % 3'000'000'000);
    return seed % 4 == 0 ? wrap - 90'000'000'000 + odd : odd;
  }
  LimitFile state() const { return durable_ ? file_.open(clock_) : LimitFile(); }
  void restart() {
    limiter_.reset();
    limiter_ = std::make_unique<LocalLimiter>(clock_, state());
  }
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  bool chance(std::uint64_t one_in) { return pick(one_in) == 0; }

  std::uint32_t some_limit() {
    static constexpr std::uint32_t edges[] = {1, 2, 3, 60, 63, 64, 65, 66, 100, 128};
    switch (pick(8)) {
      case 0:
        return static_cast<std::uint32_t>(1 + pick(chance(8) ? 100'000 : 2'000));
      case 1:
      case 2:
        return static_cast<std::uint32_t>(1 + pick(64));
      case 3:
        return static_cast<std::uint32_t>(1 + pick(300));
      default:
        return edges[pick(std::size(edges))];
    }
  }
  void change_limit() {
    limit_ = chance(3) ? std::max<std::uint32_t>(1, limit_ + static_cast<std::uint32_t>(pick(3)) - 1) : some_limit();
  }

  void pass_time() {
    switch (pick(9)) {
      case 0:
        return to_edge(oracle_.any(random_, clock_.boot()) + window);
      case 1:
        return to_edge(oracle_.any(random_, clock_.boot()) + seconds(61));
      case 2:
        return to_edge(oracle_.newest(clock_.boot()) + window);
      case 3:
        return to_edge(next_second());
      case 4:
        return clock_.advance(nanoseconds(pick(3'000'000)));
      case 5:
        return clock_.advance(milliseconds(pick(1'500)));
      case 6:
        return clock_.advance(milliseconds(pick(20'000)));
      case 7:
        return chance(6) ? clock_.advance(seconds(50 + pick(100))) : void();
      default:
        return chance(60) ? clock_.advance(milliseconds(4'294'967'000 + pick(70'000))) : void();
    }
  }
  BootTime next_second() const { return {(clock_.boot().nanos / 1'000'000'000 + 1) * 1'000'000'000}; }
  /// To `edge`, or 1 ns or 1 ms before or after it. Time never goes back.
  void to_edge(BootTime edge) {
    static constexpr std::int64_t offsets[] = {-1'000'000, -1, 0, 1, 1'000'000};
    const Duration ahead = edge + nanoseconds(offsets[pick(std::size(offsets))]) - clock_.boot();
    if (ahead > Duration(0)) clock_.advance(ahead);
  }

  Decision ask() {
    const BootTime now = clock_.boot();
    const Decision decision = *limiter_->try_admit(key_, {.requests_per_minute = limit_});
    decision.admitted ? check_admission(now) : check_refusal(now, decision);
    const std::size_t sure = oracle_.within(now, window);  // in use beyond doubt
    EXPECT_LE(decision.remaining + std::min<std::size_t>(sure, limit_), limit_);
    EXPECT_EQ(decision.reset_seconds > 0, sure > 0 || decision.remaining < limit_);
    EXPECT_LE(decision.reset_seconds, 61U);
    return decision;
  }
  void check_admission(BootTime now) {
    ++admitted_;
    oracle_.admitted(now);
    ASSERT_LE(oracle_.within(now, window), limit_) << "admitted over the limit";
  }
  void check_refusal(BootTime now, const Decision& refusal) {
    ++refused_;
    ASSERT_GE(oracle_.within(now, seconds(61)), limit_) << "refused too early";
    ASSERT_EQ(refusal.remaining, 0U);
    ASSERT_GE(refusal.retry_after_seconds, 1U);
    ASSERT_LE(refusal.retry_after_seconds, 61U);
    ASSERT_EQ(refusal.retry_after_seconds, refusal.reset_seconds);
  }

  void burst(std::uint64_t requests) {
    for (std::uint64_t i = 0; i < requests && !testing::Test::HasFatalFailure(); ++i) ask();
  }
  /// `remaining` is a promise: that many more at once, then no more. Asked of peek, and held by each answer.
  void drain() {
    if (limit_ > 5'000 && !chance(10)) return;
    Allowance told = limiter_->peek(key_, {.requests_per_minute = limit_});
    ASSERT_EQ(told.reset_seconds > 0, told.remaining < limit_);
    for (std::uint32_t left = told.remaining; left > 0; --left) {
      const Decision decision = ask();
      ASSERT_TRUE(decision.admitted) << left << " were said to remain";
      ASSERT_EQ(decision.remaining, left - 1);
    }
    ASSERT_FALSE(ask().admitted) << "none was said to remain";
  }
  /// Waiting for Retry-After is enough; when something is in use, reset_seconds brings at least one back.
  void return_promise() {
    const Decision decision = ask();
    if (decision.admitted) return check_reset(decision);
    clock_.advance(seconds(decision.retry_after_seconds));
    ASSERT_TRUE(ask().admitted) << "after the Retry-After of " << decision.retry_after_seconds;
  }
  void check_reset(const Decision& decision) {
    clock_.advance(seconds(decision.reset_seconds));
    ASSERT_GT(limiter_->peek(key_, {.requests_per_minute = limit_}).remaining, decision.remaining);
  }

  std::mt19937_64 random_;
  ManualClock clock_;
  const bool durable_;
  TemporaryLimitFile file_;
  std::unique_ptr<LocalLimiter> limiter_;
  Oracle oracle_;
  KeyId key_;
  std::uint32_t limit_;
  std::uint64_t admitted_ = 0;
  std::uint64_t refused_ = 0;
};

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(OracleTest, EveryDecisionAgreesWithAnExactLog) {
  const std::uint64_t seeds = setting("LATCHKEY_LONG", 0) > 0 ? 20'000 : 16;
  const bool replay = std::getenv("LATCHKEY_SEED") != nullptr;
  const std::uint64_t first = replay ? setting("LATCHKEY_SEED", 0) : std::random_device()() & 0xffff'fffcU;
  std::uint64_t admitted = 0;
  std::uint64_t refused = 0;
  for (std::uint64_t seed = first; seed < first + (replay ? 1 : seeds); ++seed) {
    SCOPED_TRACE("LATCHKEY_SEED=" + std::to_string(seed));
    Simulation simulation(seed);
    simulation.run(600);
    admitted += simulation.admitted();
    refused += simulation.refused();
    if (HasFailure()) break;
  }
  RecordProperty("admitted", std::to_string(admitted));
  RecordProperty("refused", std::to_string(refused));
  EXPECT_GT(admitted, 0U);
  EXPECT_GT(refused, 0U);
}

}  // namespace
}  // namespace latchkey::limit
