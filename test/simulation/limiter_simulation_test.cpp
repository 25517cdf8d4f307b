#include <gtest/gtest.h>

#include <iostream>

#include "limiter_simulation.hpp"
#include "seeds.hpp"

namespace latchkey::simulation {
namespace {

Outcome simulate(std::uint64_t seed, Bug bug) { return LimiterSimulation(seed, Weather::of(seed), bug).run(); }

TEST(LimiterSimulationTest, NoMinuteOverTheLimitAndNoKeyStuck) {
  const std::uint64_t first = first_seed();
  const std::uint64_t seeds = seeds_to_run();
  Outcome total;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const Outcome outcome = simulate(seed, Bug::none);
    ASSERT_EQ(outcome.violation, "") << "LATCHKEY_SEED=" << seed;
    total.admitted += outcome.admitted;
    total.refused += outcome.refused;
    total.unavailable += outcome.unavailable;
    total.calls += outcome.calls;
    total.faults += outcome.faults;
  }
  std::cout << seeds << " seeds from " << first << ": " << total.admitted << " admitted, " << total.refused
            << " refused, " << total.unavailable << " unavailable, " << total.calls << " calls, " << total.faults
            << " faults\n";
  EXPECT_GT(total.admitted, 0U);
  EXPECT_GT(total.refused, 0U);
}

struct Planted {
  Bug bug;
  const char* name;
  std::uint64_t most_seeds;
};
class LimiterBugTest : public testing::TestWithParam<Planted> {};

/// Where one fault alone is needed, the permits that others burn would only hide what the bug mints.
Weather weather_for(Bug bug, std::uint64_t seed) {
  Weather weather;
  weather.network.usual = std::chrono::milliseconds(5);
  if (bug == Bug::clock_high_water_ignored || bug == Bug::doubt_ignored) {
    weather.store_step = std::chrono::seconds(1);
  } else if (bug == Bug::epoch_ignored) {
    weather.limit_change = std::chrono::seconds(20);
    weather.restore = std::chrono::seconds(20);
  } else if (bug == Bug::forgotten_calls_ignored) {
    weather.store_forgets = std::chrono::seconds(20);
  } else if (bug == Bug::unmet_step_back_ignored) {
    weather.unmet_step = std::chrono::seconds(10);
  } else if (bug == Bug::return_honoured_twice) {
    weather.network.repeated = 0.2;
  } else {
    weather = Weather::of(seed);
  }
  return weather;
}

TEST_P(LimiterBugTest, IsFound) {
  const auto [bug, name, most_seeds] = GetParam();
  const std::uint64_t first = first_seed();
  for (std::uint64_t seed = first; seed < first + most_seeds; ++seed) {
    const Weather weather = weather_for(bug, seed);
    const Outcome outcome = LimiterSimulation(seed, weather, bug).run();
    if (outcome.kind != Outcome::Kind::over_the_limit) continue;
    EXPECT_EQ(LimiterSimulation(seed, weather, Bug::none).run().violation, "") << "LATCHKEY_SEED=" << seed;
    std::cout << name << ": found by seed " << seed << ", " << seed - first + 1 << " tried: " << outcome.violation
              << "\n";
    return;
  }
  FAIL() << name << " was not found by " << most_seeds << " seeds from " << first;
}

INSTANTIATE_TEST_SUITE_P(Planted, LimiterBugTest,
                         testing::Values(Planted{Bug::stale_version_raises_limit, "stale_version_raises_limit", 400},
                                         Planted{Bug::return_honoured_twice, "return_honoured_twice", 400},
                                         Planted{Bug::clock_read_before_taking, "clock_read_before_taking", 400},
                                         Planted{Bug::new_run_ignored, "new_run_ignored", 400},
                                         Planted{Bug::drift_ignored, "drift_ignored", 400},
                                         Planted{Bug::clock_high_water_ignored, "clock_high_water_ignored", 400},
                                         Planted{Bug::doubt_ignored, "doubt_ignored", 400},
                                         Planted{Bug::unmet_step_back_ignored, "unmet_step_back_ignored", 4000},
                                         Planted{Bug::forgotten_calls_ignored, "forgotten_calls_ignored", 400},
                                         Planted{Bug::epoch_ignored, "epoch_ignored", 400}),
                         [](const auto& planted) { return planted.param.name; });

}  // namespace
}  // namespace latchkey::simulation
