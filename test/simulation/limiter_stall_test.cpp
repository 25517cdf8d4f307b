// What a stall may cost: no permits, and of time no more than it lasts.

#include <gtest/gtest.h>

#include <algorithm>

#include "seeds.hpp"
#include "stall_scene.hpp"

namespace latchkey::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t per_minute = 600;

std::size_t most_in_any_minute(const std::vector<Time>& admitted) {
  std::size_t most = 0;
  for (auto first = admitted.begin(), last = first; last != admitted.end(); ++last) {
    while (*last - *first > seconds(60)) ++first;
    most = std::max(most, static_cast<std::size_t>(last - first) + 1);
  }
  return most;
}

std::int64_t admitted_until(Time end, const std::vector<Time>& admitted) {
  return std::upper_bound(admitted.begin(), admitted.end(), end) - admitted.begin();
}

/// As the first permits are taken, in between, or as they come back.
Stall stall_of(std::uint64_t seed, Stalled what) {
  std::mt19937_64 random(seed);
  const auto between = [&](int from, int to) { return milliseconds(std::uniform_int_distribution(from, to)(random)); };
  Stall stall{.what = what};
  const auto when = random() % 3;
  stall.begins = when == 0 ? between(50, 3'000) : when == 1 ? between(5'000, 57'000) : between(60'000, 64'000);
  stall.lasts = between(1'000, 3'000);
  return stall;
}

struct Case {
  Stalled what;
  const char* name;
};
class LimiterStallTest : public testing::TestWithParam<Case> {};

// What must be given. Undisturbed, all N are within two seconds of the first request: 300 requests come in each, and
// what one replica has leased and not spent it returns at the end of the half second. A stall puts that off by as long
// as it lasts. It burns nothing: a lease that ends in it is returned when it is over, and so is what was granted in
// answers that came too late, since the store takes back leases of the last ten seconds; whoever was told before that
// nothing is free need not ask for it, since who returns it has requests of its own. A permit comes back 61 s after its
// half second began: whoever calls first after the stall proves to the store that the time has passed. So, with 600 ms
// to spare each time:
TEST_P(LimiterStallTest, CostsTimeAndNoPermits) {
  const std::uint64_t first = first_seed();
  const std::uint64_t seeds = std::max<std::uint64_t>(1, seeds_to_run() / 4);  // each is a minute of requests
  for (std::uint64_t seed = first; seed < first + seeds && !HasFailure(); ++seed) {
    const Stall stall = stall_of(seed, GetParam().what);
    SCOPED_TRACE("LATCHKEY_SEED=" + std::to_string(seed) + ", at " + std::to_string(stall.begins / milliseconds(1)) +
                 " ms for " + std::to_string(stall.lasts / milliseconds(1)));
    const auto admitted = StallScene(seed, stall, per_minute).run(seconds(75));
    EXPECT_LE(most_in_any_minute(admitted), per_minute);
    const Time first_given = milliseconds(2'600) + (stall.begins < seconds(5) ? stall.lasts : Duration{});
    const Time second_given =
        first_given + milliseconds(61'600) + (stall.begins > seconds(57) ? stall.lasts : Duration{});
    EXPECT_EQ(admitted_until(first_given, admitted), per_minute);
    EXPECT_EQ(admitted_until(second_given, admitted), 2 * per_minute);
  }
}

INSTANTIATE_TEST_SUITE_P(Stalls, LimiterStallTest,
                         testing::Values(Case{Stalled::nothing, "nothing"}, Case{Stalled::one_replica, "one_replica"},
                                         Case{Stalled::all_replicas, "all_replicas"}, Case{Stalled::store, "store"},
                                         Case{Stalled::messages, "messages"}),
                         [](const auto& stall) { return stall.param.name; });

}  // namespace
}  // namespace latchkey::simulation
