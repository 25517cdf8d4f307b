#include "feed/sqlite/sqlite_feed.hpp"

#include <thread>

#include "feed/testing/sqlite_world.hpp"

namespace latchkey::feed {
namespace {

using namespace std::chrono_literals;

INSTANTIATE_TEST_SUITE_P(Sqlite, ChangeFeedSuite,
                         testing::Values(FeedEngine{"sqlite", [] { return std::make_unique<SqliteWorld>(); }}));

constexpr const char* insert_by_hand =
    "INSERT INTO access_keys (key_id, user_id, requests_per_minute, issued_at, created_at, updated_at, updated_by)"
    " VALUES ('0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d', 'alice', 60, 1, 1, 1, 'hand')";

TEST(SqliteFeed, AFileThatDoesNotExistYetIsUnavailableUntilItDoes) {
  TemporaryDirectory directory;
  SystemClock clock;
  SystemRandom random;
  SqliteFeed feed(directory / "latchkey.db", clock);
  Replica replica;
  const auto early = feed.load(replica);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().kind, FeedError::Kind::not_made);
  const auto store = store::open_sqlite(directory / "latchkey.db", clock, random);
  ASSERT_TRUE(store);
  EXPECT_TRUE(feed.load(replica));
}

TEST(SqliteFeed, AFileThatIsNotADatabaseIsUnavailable) {
  TemporaryDirectory directory;
  SystemClock clock;
  std::FILE* file = std::fopen((directory / "latchkey.db").c_str(), "w");
  std::fputs(std::string(8192, 'x').c_str(), file);
  std::fclose(file);
  SqliteFeed feed(directory / "latchkey.db", clock);
  Replica replica;
  const auto loaded = feed.load(replica);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, FeedError::Kind::unavailable);
}

TEST(SqliteFeed, AFileThatIsNewerThanItKnowsIsRefusedAtTheNextReadAndWhenOpened) {
  SqliteWorld world;
  Replica replica;
  const auto position = *world.feed().load(replica);
  world.execute("PRAGMA user_version = 99");
  const auto batch = world.feed().next(position, 0ms);
  ASSERT_FALSE(batch) << "by a reader that runs";
  EXPECT_EQ(batch.error().kind, FeedError::Kind::unavailable);
  EXPECT_TRUE(batch.error().why.contains("upgrade this service")) << batch.error().why;
  EXPECT_FALSE(world.store().transact_and_wait([](store::Transaction&) { return Result<void>(); }))
      << "by a management service that runs";
  world.reopen_feed();
  EXPECT_TRUE(world.feed().load(replica).error().why.contains("has schema 99"));
  world.execute("UPDATE meta SET value = '99 2' WHERE name = 'readers'");
  EXPECT_TRUE(world.feed().load(replica)) << "the newer release has said that this one can go on";
}

TEST(SqliteFeed, ReadsWithoutAWriterAndWhenOneComesBack) {
  SqliteWorld world;
  world.execute(insert_by_hand);
  world.close_store();
  Replica replica;
  const auto position = world.feed().load(replica);
  ASSERT_TRUE(position) << position.error().why;
  EXPECT_EQ(replica.keys.size(), 1U);
  EXPECT_TRUE(world.feed().next(*position, 0ms));
  world.open_store();
  world.execute("UPDATE access_keys SET disabled = 1");
  const auto batch = world.feed().next(*position, 60s);
  ASSERT_TRUE(batch) << batch.error().why;
  EXPECT_EQ(batch->changes.size(), 1U);
}

TEST(SqliteFeed, HearsEditsMadeByHand) {
  SqliteWorld world;
  Replica replica;
  auto position = *world.feed().load(replica);
  for (const char* edit : {insert_by_hand, "UPDATE access_keys SET disabled = 1", "DELETE FROM access_keys"}) {
    std::thread shell([&] { world.execute(edit); });
    const auto batch = world.feed().next(position, 60s);
    shell.join();
    ASSERT_TRUE(batch) << batch.error().why;
    ASSERT_EQ(batch->changes.size(), 1U) << edit;
    EXPECT_EQ(batch->changes[0].actor, "unknown");
    position = batch->head;
    replica.apply(batch->changes[0]);
  }
  EXPECT_TRUE(replica.keys.begin()->second.deleted);
}

// The copy has the same epoch, seq and nonces: only the path's inode tells that our file is no longer the database.
TEST(SqliteFeed, ACopyRenamedOverTheFileIsAReload) {
  SqliteWorld world;
  world.execute(insert_by_hand);
  Replica replica;
  const auto position = *world.feed().load(replica);
  const auto restore = world.backup();
  std::filesystem::rename(world.directory() / "backup-1", world.path());
  const auto batch = world.feed().next(position, 60s);
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().kind, FeedError::Kind::reload);
}

TEST(SqliteFeed, AReplacementDuringAWaitIsAReload) {
  SqliteWorld world;
  Replica replica;
  const auto position = *world.feed().load(replica);
  std::thread replacing([&] {
    std::this_thread::sleep_for(50ms);
    world.replace();
  });
  auto batch = world.feed().next(position, 60s);
  replacing.join();
  // Between the renames there is no file at all.
  if (!batch && batch.error().kind != FeedError::Kind::reload) batch = world.feed().next(position, 60s);
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().kind, FeedError::Kind::reload);
}

}  // namespace
}  // namespace latchkey::feed
