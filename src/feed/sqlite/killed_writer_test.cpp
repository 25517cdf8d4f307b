// kill -9 of the writer, two hundred times at random moments, while a reader tails the log.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <random>
#include <thread>

#include "base/testing/temporary_directory.hpp"
#include "feed/sqlite/sqlite_feed.hpp"
#include "feed/testing/change_feed_suite.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace latchkey::feed {
namespace {

using namespace std::chrono_literals;

constexpr int kills = 200;

struct Shared {
  std::atomic<std::uint64_t> acknowledged;  // the highest seq that was reported durable
  std::atomic<int> killed;
};

[[noreturn]] void write_until_killed(const std::filesystem::path& path, Shared& shared) {
  SystemClock clock;
  SystemRandom random;
  const auto store = store::open_sqlite(path, clock, random);
  if (!store) ::_exit(1);
  for (;;) {
    AccessKey key;
    key.id = KeyId::generate(clock.wall(), random);
    key.user_id = "alice";
    key.updated_by = "ops";
    const auto done = (*store)->transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
      const auto put = transaction.put_key(key, "create");
      return put ? Result<void>() : put.error();
    });
    if (done) shared.acknowledged = done->position.seq.value;
  }
}

// A process of its own, forked before this one opens the file: SQLite's locks do not survive a fork.
[[noreturn]] void kill_writers(const std::filesystem::path& path, Shared& shared, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int i = 0; i < kills; ++i) {
    const pid_t writer = ::fork();
    if (writer == 0) write_until_killed(path, shared);
    // On a busy machine all would else die before one has made the file.
    for (int ms = 0; i == 0 && shared.acknowledged == 0 && ms < 30'000; ++ms) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(std::chrono::microseconds(5'000 + random() % 35'000));
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);
    ++shared.killed;
  }
  ::_exit(0);
}

TEST(KilledWriter, LosesNoAcknowledgedChangeAndLeavesNoGap) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  TemporaryDirectory directory;
  const auto path = directory / "latchkey.db";
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto& shared = *new (memory) Shared();
  const pid_t killer = ::fork();
  if (killer == 0) kill_writers(path, shared, seed);

  SystemClock clock;
  SqliteFeed feed(path, clock);
  Replica replica;
  auto loaded = feed.load(replica);
  while (!loaded && shared.killed < kills) {
    std::this_thread::sleep_for(1ms);
    loaded = feed.load(replica);
  }
  ASSERT_TRUE(loaded) << loaded.error().why;
  Position position = *loaded;
  const auto follow = [&](bool& idle) {
    const std::uint64_t acknowledged = shared.acknowledged;
    const auto batch = feed.next(position, 20ms);
    if (!batch) {
      ASSERT_EQ(batch.error().kind, FeedError::Kind::unavailable) << batch.error().why;
      return;
    }
    for (const auto& change : batch->changes) {
      ASSERT_EQ(change.seq, ++position.seq);
      replica.apply(change);
    }
    ASSERT_TRUE(batch->more || position.seq.value >= acknowledged) << "an acknowledged change is missing";
    idle = batch->changes.empty();
  };
  for (bool whole = false; !whole && !HasFatalFailure();) {
    const bool over = shared.killed >= kills;  // asked before the read: what is read empty afterwards is all there is
    bool idle = false;
    follow(idle);
    whole = over && idle;
  }
  ::waitpid(killer, nullptr, 0);
  EXPECT_GE(position.seq.value, shared.acknowledged);
  EXPECT_EQ(replica.keys.size(), position.seq.value);
  EXPECT_GT(position.seq, Seq{0});
  RecordProperty("changes", std::to_string(position.seq.value));
  ::munmap(memory, sizeof(Shared));
}

}  // namespace
}  // namespace latchkey::feed
