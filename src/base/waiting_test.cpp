// What waits, pauses and is woken.

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <future>
#include <thread>

#include "base/clock.hpp"
#include "base/condition.hpp"
#include "base/retry_backoff.hpp"
#include "base/wake_event.hpp"
#include "base/wakeable_thread.hpp"

namespace latchkey {
namespace {

using std::chrono::milliseconds;

TEST(RetryBackoff, DoublesUpToTheLongest) {
  RetryBackoff backoff;
  for (const int pause : {20, 40, 80, 160, 320, 640, 1000, 1000}) EXPECT_EQ(backoff.failed(), milliseconds(pause));
  EXPECT_EQ(backoff.in_a_row(), 8U);
  for (int i = 0; i < 100'000; ++i) EXPECT_EQ(backoff.failed(), milliseconds(1000));
  backoff.succeeded();
  EXPECT_EQ(backoff.in_a_row(), 0U);
  EXPECT_EQ(backoff.failed(), milliseconds(20));
}

TEST(RetryBackoff, AFailureThatIsExpectedStaysBelowTheLimit) {
  RetryBackoff backoff;
  for (const int pause : {20, 40, 80, 80, 80}) EXPECT_EQ(backoff.failed_below(4), milliseconds(pause));
  EXPECT_EQ(backoff.in_a_row(), 3U);
  EXPECT_EQ(backoff.failed(), milliseconds(160));
  EXPECT_EQ(backoff.in_a_row(), 4U);
}

TEST(NextAttempt, IsAfterThePauseAndKnowsSinceWhenNothingSucceeded) {
  NextAttempt<BootTime> attempt;
  const BootTime start{1'000'000'000};
  EXPECT_TRUE(attempt.may_try(start));
  attempt.failed(start);
  EXPECT_FALSE(attempt.may_try(start + milliseconds(19)));
  EXPECT_TRUE(attempt.may_try(start + milliseconds(20)));
  attempt.failed(start + milliseconds(20));
  EXPECT_EQ(attempt.next(), start + milliseconds(60));
  EXPECT_EQ(attempt.down_since(), start);
  attempt.succeeded();
  EXPECT_EQ(attempt.down_since(), std::nullopt);
  EXPECT_TRUE(attempt.may_try(start));
}

TEST(WakeableThread, IsWokenWhileItSleepsAndWhileItWorks) {
  WakeableThread thread;
  std::atomic<int> rounds = 0;
  std::promise<void> second;
  thread.start([&] {
    while (thread.sleep(std::chrono::hours(1))) {
      if (++rounds == 1) thread.wake();  // while it works
      if (rounds == 2) second.set_value();
    }
  });
  thread.wake();
  second.get_future().wait();
  thread.stop();
  thread.stop();
  EXPECT_EQ(rounds, 2);
  EXPECT_TRUE(thread.stopping());
}

TEST(WakeableThread, EndsWithItsOwnerAndNeedNotHaveBegun) {
  { const WakeableThread never_started; }
  WakeableThread thread;
  std::promise<void> asked;
  thread.start([&] {
    while (thread.sleep(std::chrono::hours(1))) {
    }
    asked.set_value();
  });
  thread.ask_to_stop();
  asked.get_future().wait();
}

TEST(Condition, IsWaitedForUntilItComesOrTheMoment) {
  Mutex mutex;
  Condition changed;
  bool given = false;
  std::thread other;
  {
    const MutexLock lock(mutex);
    while (changed.wait_until(mutex, std::chrono::steady_clock::now())) {
    }
    other = std::thread([&] {
      const MutexLock inner(mutex);
      given = true;
      changed.notify_one();
    });
    while (!given) changed.wait(mutex);
  }
  other.join();
}

TEST(WakeEvent, IsReadableOnceItWasCalled) {
  const WakeEvent event;
  pollfd file{event.descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&file, 1, 0), 0);
  EXPECT_FALSE(event.take());
  event.wake();
  event.wake();
  EXPECT_EQ(::poll(&file, 1, 0), 1);
  EXPECT_TRUE(event.take());
  EXPECT_FALSE(event.take());
}

}  // namespace
}  // namespace latchkey
