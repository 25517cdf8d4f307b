// What the simulation takes for Redis behaves as Redis does. LATCHKEY_SEED replays one seed.

#include <gtest/gtest.h>

#include "propagation/stream_comparison.hpp"
#include "seeds.hpp"

namespace latchkey::simulation::propagation {
namespace {

TEST(StreamEquivalenceTest, TheScriptsSayWhatTheSimulationSays) {
  const redis::TestServer server;
  const std::uint64_t first = first_seed();
  const std::uint64_t seeds = is_replay() ? 1 : is_long_campaign() ? 1'000 : 10;
  std::set<std::string> outcomes;
  for (std::uint64_t seed = first; seed < first + seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("LATCHKEY_SEED=" + std::to_string(seed));
    StreamComparison comparison(server, seed);
    for (int step = 0; step < 200 && !HasFailure(); ++step) comparison.step();
    outcomes.insert(comparison.outcomes().begin(), comparison.outcomes().end());
  }
  // append: each that there is; begin: done, taken, incomplete; attach: each.
  EXPECT_TRUE(outcomes.size() == 5 + 3 + 5 || is_replay()) << testing::PrintToString(outcomes);
}

}  // namespace
}  // namespace latchkey::simulation::propagation
