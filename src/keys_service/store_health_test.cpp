#include "keys_service/store_health.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace latchkey::keys_service {
namespace {

TEST(StoreHealth, IsToldAtOnceWhileTheStoreIsSilent) {
  ManualClock clock;
  std::atomic<bool> silent = false;
  std::atomic<int> asked = 0;
  std::promise<void> release;
  const std::shared_future<void> released(release.get_future());
  const auto ask = [&]() -> Result<Position> {
    ++asked;
    if (silent) released.wait();
    return Position{{1}, 7};
  };
  StoreHealth health(ask, clock, {.between_looks = std::chrono::milliseconds(1)});
  EXPECT_TRUE(health.position());
  silent = true;
  const int before = asked;
  while (asked == before) std::this_thread::yield();  // a look is under way and gets no answer
  EXPECT_TRUE(health.position()) << "its last answer is young";
  clock.advance(std::chrono::seconds(6));
  EXPECT_FALSE(health.position());
  silent = false;
  release.set_value();
  while (!health.position()) std::this_thread::yield();
}

TEST(StoreHealth, AStoreThatIsAwayIsNotReady) {
  ManualClock clock;
  const StoreHealth health([]() -> Result<Position> { return Error(ErrorCode::unavailable, "away"); }, clock);
  EXPECT_FALSE(health.position());
}

}  // namespace
}  // namespace latchkey::keys_service
