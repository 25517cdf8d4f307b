// kill -9 at random moments of a limiter that several threads use, life after life over one file, within one minute: no
// key gets more than its limit in all, and a kill costs at most the permit that each thread was about to tell of.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "limit/local/local_limiter.hpp"
#include "limit/testing/stepped_process.hpp"
#include "limit/testing/temporary_limit_file.hpp"

namespace latchkey::limit {
namespace {

constexpr std::size_t key_count = 4'000;
constexpr unsigned thread_count = 3;

struct Told {
  std::atomic<bool> running{false};
  std::array<std::atomic<std::uint32_t>, key_count> admitted{};
};

class KilledLimiter : public testing::Test {
 protected:
  KilledLimiter() {
    SeededRandom random(seed_);
    for (KeyId& key : keys_) key = KeyId::generate({1'767'225'600'000}, random);
  }
  static std::uint32_t most(std::size_t key) {
    static constexpr std::uint32_t limits[] = {1, 2, 20, 63, 64, 65, 66, 100, 300};
    return limits[key % std::size(limits)];
  }
  /// Every seventh key's limit goes up and down, and with it the form of its window.
  static Limit limit(std::size_t key, std::uint64_t chance) {
    return {.requests_per_minute = key % 7 == 0 && chance % 4 == 0 ? std::min(most(key), 50U) : most(key)};
  }
  void live(std::uint64_t seed) {
    LocalLimiter limiter(clock_, file_.open(clock_));
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < thread_count; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937_64 random(seed + t);
        for (;;) {
          const std::size_t key = random() % key_count;
          limiter.admit_later(keys_[key], limit(key, random()), [&](Decision decision) {
            if (decision.admitted) ++told_->admitted[key];
          });
        }
      });
    }
    told_->running = true;
    for (auto& thread : threads) thread.join();
  }
  void live_and_be_killed(std::mt19937_64& dice) {
    told_->running = false;
    const std::uint64_t seed = dice();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      live(seed);
      ::_exit(1);
    }
    while (!told_->running && ::waitpid(child, nullptr, WNOHANG) == 0) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds(dice() % 3'000));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it died of something else: " << status;
  }

  const std::uint64_t seed_ = std::getenv("LATCHKEY_SEED") != nullptr
                                  ? std::strtoull(std::getenv("LATCHKEY_SEED"), nullptr, 10)
                                  : std::random_device()();
  SystemClock clock_;
  std::vector<KeyId> keys_ = std::vector<KeyId>(key_count);
  TemporaryLimitFile file_;
  SharedWithChildren<Told> told_;
};

TEST_F(KilledLimiter, NeverAdmitsMoreThanTheLimitOverItsLives) {
  SCOPED_TRACE("LATCHKEY_SEED=" + std::to_string(seed_));
  std::mt19937_64 dice(seed_);
  const BootTime began = clock_.boot();
  const auto patience = std::chrono::seconds(std::getenv("LATCHKEY_LONG") != nullptr ? 50 : 2);
  std::uint32_t kills = 0;
  for (; clock_.boot() - began < patience; ++kills) ASSERT_NO_FATAL_FAILURE(live_and_be_killed(dice));
  LocalLimiter limiter(clock_, file_.open(clock_));
  std::uint64_t told = 0;
  std::uint64_t lost = 0;
  std::vector<std::size_t> over;
  for (std::size_t key = 0; key < key_count; ++key) {
    std::uint32_t total = told_->admitted[key];
    told += total;
    while (limiter.try_admit(keys_[key], {most(key)})->admitted) ++total;
    if (total > most(key)) over.push_back(key);
    lost += key % 7 == 0 ? 0 : most(key) - total;  // of the others, a form may have been left half-way
  }
  if (clock_.boot() - began >= window)
    GTEST_SKIP() << "the machine was too slow: a minute is over, which proves nothing";
  ASSERT_TRUE(over.empty()) << "key " << over.front() << " and others, after " << kills << " kills: " << over.size();
  EXPECT_LE(lost, kills * thread_count);
  EXPECT_GT(told, kills) << "nothing went on";
  RecordProperty("kills", std::to_string(kills));
  RecordProperty("told", std::to_string(told));
  RecordProperty("lost", std::to_string(lost));
}

}  // namespace
}  // namespace latchkey::limit
