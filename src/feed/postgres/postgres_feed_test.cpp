#include "feed/postgres/postgres_feed.hpp"

#include <thread>

#include "feed/testing/postgres_world.hpp"
#include "feed/testing/shown_history.hpp"

namespace latchkey::feed {
namespace {

using namespace std::chrono_literals;

INSTANTIATE_TEST_SUITE_P(Postgres, ChangeFeedSuite,
                         testing::Values(FeedEngine{"postgres", [] { return std::make_unique<PostgresWorld>(); }}));

constexpr const char* insert_in_psql =
    "INSERT INTO access_keys (key_id, user_id, requests_per_minute, issued_at, created_at, updated_at, updated_by)"
    " VALUES ('0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d', 'alice', 60, 1, 1, 1, 'hand')";

TEST(PostgresFeed, HearsEditsMadeByHand) {
  PostgresWorld world;
  Replica replica;
  auto position = *world.feed().load(replica);
  for (const char* edit : {insert_in_psql, "UPDATE access_keys SET disabled = true", "DELETE FROM access_keys"}) {
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

// The whole cluster's files put back under a store that runs: the epoch comes back too, and only the store's memory of
// the last nonce tells.
TEST(PostgresFeed, ARestoreAtEachPositionLeavesTrueWhatWasSeenOfItsEpoch) {
  constexpr std::uint64_t length = 4;
  SystemRandom random;
  SystemClock clock;
  const auto change = [&](FeedWorld& world) {
    AccessKey key;
    key.id = KeyId::generate(clock.wall(), random);
    key.user_id = "alice";
    key.updated_by = "ops";
    ASSERT_TRUE(world.store().transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
      const auto done = transaction.put_key(key, "create");
      return done ? Result<void>() : done.error();
    }));
  };
  for (std::uint64_t kept = 0; kept <= length; ++kept) {
    SCOPED_TRACE(testing::Message() << "restored at " << kept << " of " << length);
    PostgresWorld world;
    ShownHistory history;
    std::function<void()> restore;
    for (std::uint64_t seq = 0; seq <= length; ++seq) {
      if (seq == kept) restore = world.backup();
      if (seq < length) change(world);
      history.look(world);
    }
    restore();
    for (std::uint64_t seq = 0; seq <= length - kept; ++seq) {
      history.look(world);
      change(world);
    }
    history.look(world);
  }
}

TEST(PostgresFeed, AServerThatIsNotThereYetIsUnavailable) {
  SystemClock clock;
  TemporaryDirectory empty;
  const auto feed = open_postgres_feed("postgresql:///x?host=" + empty.path().string(), clock);
  ASSERT_TRUE(feed);
  Replica replica;
  const auto loaded = (*feed)->load(replica);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, FeedError::Kind::unavailable);
}

TEST(PostgresFeed, ARoleThatMayOnlyReadIsEnough) {
  PostgresWorld world;
  world.execute(
      "DROP ROLE IF EXISTS replica; CREATE ROLE replica LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO replica");
  SystemClock clock;
  std::string url = world.url();
  const auto feed = *open_postgres_feed(url.replace(url.find("user=latchkey"), 13, "user=replica"), clock);
  Replica replica;
  const auto position = feed->load(replica);
  ASSERT_TRUE(position) << position.error().why;
  std::thread shell([&] { world.execute(insert_in_psql); });
  const auto batch = feed->next(*position, 60s);
  shell.join();
  ASSERT_TRUE(batch) << batch.error().why;
  EXPECT_EQ(batch->changes.size(), 1U);
}

/// What a feed says that cannot be read; "" where it can.
std::string complaint(ChangeFeed& feed, const Position& position) {
  const auto batch = feed.next(position, 0ms);
  if (batch) return "";
  EXPECT_EQ(batch.error().kind, FeedError::Kind::unavailable);
  return batch.error().why;
}

TEST(PostgresFeed, ADatabaseThatIsNewerThanItKnowsIsRefusedAtTheNextReadAndAtALoad) {
  PostgresWorld world;
  Replica replica;
  const auto position = *world.feed().load(replica);
  const auto complains_of_a_newer_release = [&] {
    world.reopen_feed();
    const auto loaded = world.feed().load(replica);
    return !loaded && loaded.error().why.contains("upgrade this service");
  };
  world.execute("UPDATE meta SET schema_version = 99");
  EXPECT_TRUE(complaint(world.feed(), position).contains("has schema 99")) << complaint(world.feed(), position);
  EXPECT_TRUE(complains_of_a_newer_release());
  EXPECT_FALSE(world.store().transact_and_wait([](store::Transaction&) { return Result<void>(); }))
      << "a management service that runs";
  world.execute("UPDATE meta SET readers = '99 2'");
  EXPECT_EQ(complaint(world.feed(), position), "") << "the newer release has said that this one can go on";
  world.execute("UPDATE meta SET readers = '99 99'");
  EXPECT_TRUE(complains_of_a_newer_release());
}

TEST(PostgresFeed, ADatabaseThatIsOlderWaitsForTheManagementService) {
  PostgresWorld world;
  world.execute("UPDATE meta SET schema_version = 1; ALTER TABLE meta DROP COLUMN readers, DROP COLUMN home");
  Replica replica;
  const auto loaded = world.feed().load(replica);
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(loaded.error().why.contains("start the management service")) << loaded.error().why;
}

TEST(PostgresFeed, ACopyThatNoManagementServiceCommitsToIsAsOldAsItsHeartbeat) {
  PostgresWorld world;
  SystemClock clock;
  Replica replica;
  const auto position = *world.feed().load(replica);
  world.close_store();
  world.execute("UPDATE heartbeat SET at = at - 60000");
  const BootTime before = clock.boot();
  EXPECT_GE(world.feed().next(position, 0ms)->current_as_of, before) << "the database that takes the commands";
  world.execute("UPDATE meta SET home = '7 7'");  // as it came with a dump
  EXPECT_LT(world.feed().next(position, 0ms)->current_as_of, before + -Duration(59s));
  world.open_store();
  EXPECT_GE(world.feed().next(position, 0ms)->current_as_of, before) << "its management service went on with it";
}

TEST(PostgresFeed, ASubscriberOfLogicalReplicationIsRefused) {
  PostgresWorld world;
  Replica replica;
  const auto position = *world.feed().load(replica);
  // It never connects: that our tables are among what it fills is what counts.
  world.execute("CREATE PUBLICATION all_keys FOR TABLE access_keys, signing_keys, changes");
  world.execute("CREATE SUBSCRIPTION other CONNECTION 'host=/nowhere' PUBLICATION all_keys WITH (connect = false)");
  world.execute(
      "INSERT INTO pg_subscription_rel SELECT oid, 'changes'::regclass, 'r' FROM pg_subscription WHERE subname = "
      "'other'");
  EXPECT_TRUE(complaint(world.feed(), position).contains("logical replication"));
  EXPECT_FALSE(world.feed().load(replica));
  EXPECT_FALSE(world.store().transact_and_wait([](store::Transaction&) { return Result<void>(); }));
  SystemClock clock;
  EXPECT_EQ(store::open_postgres(world.url(), clock).error().code, ErrorCode::conflict);
}

/// A primary of its own with a standby, and a store on the primary.
class Standby : public testing::Test {
 protected:
  void put() {
    AccessKey key;
    key.id = KeyId::generate(clock_.wall(), random_);
    key.user_id = "alice";
    key.updated_by = "ops";
    ASSERT_TRUE(store_->transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
      const auto version = transaction.put_key(key, "create");
      return version ? Result<void>() : version.error();
    }));
  }
  /// Follows until `seq` is there; the last batch.
  Batch follow_to(Position& position, Seq seq) {
    for (;;) {
      auto batch = feed_->next(position, 1s);
      if (!batch) throw std::runtime_error(batch.error().why);
      position = batch->head;
      if (position.seq >= seq && batch->changes.empty()) return std::move(*batch);
    }
  }

  store::postgres::TestServer primary_;
  const std::string database_ = primary_.create_database();
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<store::KeyStore> store_ = std::move(*store::open_postgres(primary_.url(database_), clock_));
  std::unique_ptr<store::postgres::TestServer> standby_ = primary_.standby();
  std::unique_ptr<ChangeFeed> feed_ = *open_postgres_feed(standby_->url(database_), clock_);
};

TEST_F(Standby, IsFollowedByPollingAndNeverLooksFreshWithoutItsPrimary) {
  Replica replica;
  auto position = *feed_->load(replica);
  const BootTime begun = clock_.boot();
  put();
  const Batch fresh = follow_to(position, Seq{1});
  EXPECT_EQ(position, *store_->position()) << "one epoch on both";
  EXPECT_GT(fresh.current_as_of, begun + -Duration(10s));

  primary_.kill(SIGQUIT);
  const BootTime lost = clock_.boot();
  std::this_thread::sleep_for(1500ms);
  const auto later = feed_->next(position, 0ms);
  ASSERT_TRUE(later) << later.error().why;
  EXPECT_LE(later->current_as_of, lost) << "claims to know what a dead primary did not commit";
}

TEST_F(Standby, PromotionIsANewEpochAndIsHeardByTheSameConnection) {
  Replica replica;
  auto position = *feed_->load(replica);
  put();
  follow_to(position, Seq{1});
  primary_.kill(SIGQUIT);
  standby_->execute(database_, "SELECT pg_promote()");
  auto batch = feed_->next(position, 5s);
  for (int i = 0; i < 240 && batch; ++i) batch = feed_->next(position, 500ms);
  ASSERT_FALSE(batch) << "a new timeline passed for the old one";
  EXPECT_EQ(batch.error().kind, FeedError::Kind::reload);
  const auto reloaded = *feed_->load(replica);
  EXPECT_NE(reloaded.epoch, position.epoch);
  ASSERT_TRUE(feed_->next(reloaded, 0ms));
  std::thread shell([&] { standby_->execute(database_, insert_in_psql); });
  const auto heard = feed_->next(reloaded, 60s);
  shell.join();
  ASSERT_TRUE(heard) << heard.error().why;
  EXPECT_EQ(heard->changes.size(), 1U);
}

TEST(StandbyAge, TheOlderOfTwoMeasuresCounts) {
  postgres::StandbyAge age;
  const BootTime start{1'000'000'000'000};
  EXPECT_EQ(age.current_as_of({10'000}, {10'200}, start), start + -Duration(200ms));
  EXPECT_EQ(age.current_as_of({10'000}, {9'000}, start + Duration(5s)), start)
      << "our clock is behind: no newer than seen";
  EXPECT_EQ(age.current_as_of({12'000}, {11'900}, start + Duration(6s)), start + Duration(6s));
  EXPECT_EQ(age.current_as_of({12'000}, {15'000}, start + Duration(9s)), start + Duration(6s));
}

}  // namespace
}  // namespace latchkey::feed
