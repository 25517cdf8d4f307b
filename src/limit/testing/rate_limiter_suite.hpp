#pragma once

// What every RateLimiter must do, whatever it stands on. An engine's test includes this and says
//
//   INSTANTIATE_TEST_SUITE_P(Local, RateLimiterSuite, testing::Values([](const ManualClock& clock) { return …; }));

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>

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
  void change_limit() { ++version_.value; }
  KeyId new_key() { return KeyId::generate(clock_.wall(), random_); }

  ManualClock clock_;
  SeededRandom random_{20260131};
  Version version_{1};
  std::unique_ptr<RateLimiter> engine_ = GetParam()(clock_);
};

}  // namespace latchkey::limit
