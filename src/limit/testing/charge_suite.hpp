#pragma once

// What every RateLimiter must do with requests under several limits, of any cost. As limit/testing/rate_limiter_suite.hpp:
//
//   INSTANTIATE_TEST_SUITE_P(Local, ChargeSuite, testing::Values([](const ManualClock& clock) { return …; }));

#include <string>
#include <vector>

#include "limit/testing/rate_limiter_suite.hpp"

namespace latchkey::limit {

class ChargeSuite : public testing::TestWithParam<EngineFactory> {
 protected:
  static ActiveLimit window(std::string name, std::uint32_t requests, std::uint32_t seconds,
                            LimitPer per = LimitPer::key, LimitMode mode = LimitMode::enforce);
  static ActiveLimit day(std::string name, std::uint32_t requests, LimitPer per = LimitPer::key);

  /// By whichever way the engine decides.
  Verdict charge(const KeyId& key, const std::vector<ActiveLimit>& limits, std::uint32_t cost = 1,
                 const char* user = "alice");
  std::uint32_t admitted_of(std::uint32_t attempts, const KeyId& key, const std::vector<ActiveLimit>& limits);
  Verdict look(const KeyId& key, const std::vector<ActiveLimit>& limits);
  /// A shared engine's leases run out, and what was not spent of them is returned: `remaining` of the first limit are left.
  void settle(const KeyId& key, const std::vector<ActiveLimit>& limits, std::uint32_t remaining);
  KeyId new_key() { return KeyId::generate(clock_.wall(), random_); }
  void pass(Duration time) { clock_.advance(time); }

  /// An hour past a midnight in UTC, by all clocks: a server that runs by a test's clock takes its boot time for its TIME.
  ManualClock clock_{{1'767'229'200'000}, {1'767'229'200'000'000'000}};
  SeededRandom random_{20260131};
  std::unique_ptr<RateLimiter> engine_ = GetParam()(clock_);
};

}  // namespace latchkey::limit
