#include "feed/digest_source.hpp"

#include <set>

#include "feed/postgres/postgres_digest.hpp"
#include "feed/sqlite/sqlite_digest.hpp"
#include "feed/testing/postgres_world.hpp"
#include "feed/testing/sqlite_world.hpp"

namespace latchkey::feed {
namespace {

AccessKey sample_key() {
  AccessKey key;
  key.id = *KeyId::parse("0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d");
  key.user_id = "alice";
  key.requests_per_minute = 60;
  key.issued_at = {1'767'225'600};
  key.version = Version{7};
  return key;
}

TEST(RowsDigest, EveryFactOfALiveKeyCountsAndNothingElse) {
  const AccessKey key = sample_key();
  std::vector<AccessKey> others(8, key);
  others[0].id = *KeyId::parse("0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5e");
  others[1].user_id = "alicf";
  others[2].user_id += std::string(1, '\0');
  others[3].requests_per_minute = 61;
  others[4].issued_at = {1'767'225'601};
  others[5].previous = PreviousIssue{{0}, {0}};
  others[6].expires_at = UnixMillis{0};
  others[7].disabled = true;
  std::set<RowsDigest> all{digest_of(key, Version{7}), digest_of(key, Version{8}), 0};
  for (const auto& other : others) all.insert(digest_of(other, Version{7}));
  EXPECT_EQ(all.size(), 11U);
  AccessKey same = key;
  same.name = "x";
  same.metadata = "{}";
  same.updated_by = "eve";
  same.updated_at = same.created_at = {5};
  EXPECT_EQ(digest_of(same, Version{7}), digest_of(key, Version{7}));
  same.deleted = true;
  EXPECT_EQ(digest_of(same, Version{7}), 0U);
}

TEST(RowsDigest, ARetiredSigningKeyCountsForNothing) {
  SigningKey key;
  key.kid = std::string(43, 'k');
  const RowsDigest live = digest_of(key, Version{3});
  key.state = SigningKeyState::verifying;
  EXPECT_NE(digest_of(key, Version{3}), live);
  key.public_key[31] = 1;
  EXPECT_NE(digest_of(key, Version{3}), 0U);
  key.state = SigningKeyState::retired;
  EXPECT_EQ(digest_of(key, Version{3}), 0U);
}

struct Engine {
  std::string name;
  std::function<std::unique_ptr<FeedWorld>()> world;
  std::function<std::unique_ptr<DigestSource>(FeedWorld&)> source;
  std::function<void(FeedWorld&, const std::string&)> sql;
  std::string past_the_triggers;  // before a statement
};
void PrintTo(const Engine& engine, std::ostream* out) { *out << engine.name; }

Engine sqlite() {
  return {"Sqlite", [] { return std::make_unique<SqliteWorld>(); },
          [](FeedWorld& world) { return std::make_unique<SqliteDigest>(dynamic_cast<SqliteWorld&>(world).path()); },
          [](FeedWorld& world, const std::string& sql) { dynamic_cast<SqliteWorld&>(world).execute(sql); },
          "DROP TRIGGER access_keys_UPDATE;"};
}

Engine postgres() {
  return {"Postgres", [] { return std::make_unique<PostgresWorld>(); },
          [](FeedWorld& world) {
            return std::make_unique<PostgresDigest>(
                *store::postgres::Url::parse(dynamic_cast<PostgresWorld&>(world).url()));
          },
          [](FeedWorld& world, const std::string& sql) { dynamic_cast<PostgresWorld&>(world).execute(sql); },
          "ALTER TABLE access_keys DISABLE TRIGGER USER;"};
}

class DigestSourceTest : public testing::TestWithParam<Engine> {
 protected:
  void sql(const std::string& text) { GetParam().sql(*world_, text); }
  /// Of the rows that a reader has by its feed.
  RowsDigest of_reader() {
    Replica replica;
    auto position = *world_->feed().load(replica);
    for (bool more = true; more;) {
      const auto batch = *world_->feed().next(position, std::chrono::milliseconds(0));
      for (const Change& change : batch.changes) replica.apply(change);
      position = batch.head;
      more = batch.more;
    }
    RowsDigest sum = 0;
    for (const auto& [id, key] : replica.keys) sum += digest_of(key, key.version);
    for (const auto& [kid, row] : replica.signing_keys) sum += digest_of(row.first, row.second);
    return sum;
  }
  void make_keys(int count) {
    ASSERT_TRUE(world_->store().transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
      for (int i = 0; i < count; ++i) {
        AccessKey key;
        key.id = KeyId::generate(clock_.wall(), random_);
        key.user_id = "user" + std::to_string(i);
        key.updated_by = "ops";
        if (const auto put = transaction.put_key(key, "create"); !put) return put.error();
      }
      SigningKey key;
      key.kid = std::string(43, 'k');
      const auto put = transaction.put_signing_key(key, "ops");
      return put ? Result<void>() : put.error();
    }));
  }

  std::unique_ptr<FeedWorld> world_ = GetParam().world();
  std::unique_ptr<DigestSource> source_ = GetParam().source(*world_);
  SystemClock clock_;
  SystemRandom random_;
};

TEST_P(DigestSourceTest, AddsUpWhatAReaderHolds) {
  EXPECT_EQ(source_->read()->digest, 0U);
  make_keys(2500);
  for (const char* edit : {"UPDATE access_keys SET requests_per_minute = 7 WHERE user_id = 'user3'",
                           "UPDATE access_keys SET deleted = NOT deleted WHERE user_id = 'user4'",
                           "DELETE FROM access_keys WHERE user_id = 'user5'", "SELECT 1"}) {
    if (std::string(edit).contains("NOT deleted") && GetParam().name == "Sqlite") continue;
    sql(edit);
    const auto digest = source_->read();
    ASSERT_TRUE(digest) << digest.error().why;
    EXPECT_EQ(digest->digest, of_reader()) << edit;
    EXPECT_EQ(digest->at.position, *world_->store().position());
    EXPECT_EQ(digest->warning, "");
  }
}

TEST_P(DigestSourceTest, SeesWhatWasChangedPastTheTriggers) {
  make_keys(3);
  const auto before = *source_->read();
  sql(GetParam().past_the_triggers + "UPDATE access_keys SET requests_per_minute = 9 WHERE user_id = 'user1'");
  const auto after = *source_->read();
  EXPECT_EQ(after.at.position, before.at.position);
  EXPECT_NE(after.digest, before.digest);
  EXPECT_EQ(after.warning.contains("access_keys.change"), GetParam().name == "Postgres") << after.warning;
}

TEST_P(DigestSourceTest, IsUnavailableWhereTheStoreIsAndEndsWhenItIsToStop) {
  make_keys(1);
  world_->make_unreachable();
  EXPECT_FALSE(source_->read());
  world_->make_reachable();
  ASSERT_TRUE(source_->read());
  source_->stop();
  EXPECT_EQ(source_->read().error().why, "stopping");
}

INSTANTIATE_TEST_SUITE_P(Engines, DigestSourceTest, testing::Values(sqlite(), postgres()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace latchkey::feed
