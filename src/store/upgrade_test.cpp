// Databases of schemas 1 and 3, as releases before left them (test/fixtures), opened by this release.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/testing/temporary_directory.hpp"
#include "store/postgres/life.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/postgres/schema.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/queries.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/testing/test_server.hpp"

namespace latchkey::store {
namespace {

std::string fixture(const std::string& name) {
  std::ifstream file(LATCHKEY_FIXTURES "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Four keys: one rotated, one that expires, one disabled, one deleted; one signing key; eight changes.
void expect_whole(KeyStore& store, UnixMillis now) {
  const auto page = store.list_keys({{}, 100, {}, now});
  ASSERT_TRUE(page) << page.error().internal;
  std::map<std::string, AccessKey> keys;
  for (const auto& key : page->keys) keys[key.user_id] = key;
  ASSERT_EQ(keys.size(), 4U);
  EXPECT_TRUE(keys["alice"].previous);
  EXPECT_EQ(keys["alice"].metadata, R"({"team":"x"})");
  EXPECT_TRUE(keys["bob"].expires_at);
  EXPECT_TRUE(keys["carol"].disabled);
  EXPECT_TRUE(keys["dave"].deleted);
  EXPECT_EQ(store.signing_keys()->size(), 1U);
  EXPECT_EQ(store.changes_after(Seq{0}, 100)->size(), 8U);
  AccessKey changed = keys["carol"];
  changed.disabled = false;
  ASSERT_TRUE(store.transact_and_wait([&](Transaction& transaction) -> Result<void> {
    const auto version = transaction.put_key(changed, "enable");
    return version ? Result<void>() : version.error();
  }));
  EXPECT_EQ(store.changes_after(Seq{8}, 100)->size(), 1U);
}

/// What schema 3 brought works on what came from schema 1.
void expect_terms(KeyStore& store, UnixMillis now) {
  AccessKey key = store.list_keys({{.user_id = "alice"}, 1, {}, now})->keys.at(0);
  key.requests_per_minute.reset();
  key.plan = "pro";
  ASSERT_TRUE(store.transact_and_wait([&](Transaction& transaction) -> Result<void> {
    const Plan plan{"pro", "", {per_minute_limit(5)}, "{}", false, now, now, "ops", {}};
    const User user{"alice", "pro", {}, true, "{}", false, now, now, "ops", {}};
    if (auto put = transaction.put_plan(plan, "plan-create"); !put) return put.error();
    if (auto put = transaction.put_user(user, "user-create"); !put) return put.error();
    const auto put = transaction.put_key(key, "update");
    return put ? Result<void>() : put.error();
  }));
  EXPECT_EQ(store.changes_after({9}, 100)->size(), 3U);
  EXPECT_EQ((*store.find_key(key.id))->plan, "pro");
  EXPECT_TRUE((*store.find_user("alice"))->disabled);
}

/// Of test/fixtures/schema-3: what is in force there is found, and what schema 4 brought works on it.
void expect_terms_and_rules(KeyStore& store, UnixMillis now) {
  const auto keys = store.list_keys({{}, 100, {}, now, KeyOrder::oldest_first})->keys;
  ASSERT_EQ(keys.size(), 4U);
  EXPECT_EQ((*store.find_plan("pro"))->limits, LimitList{per_minute_limit(600)});
  EXPECT_EQ((*store.find_plan("pro"))->scopes, std::nullopt);
  EXPECT_TRUE((*store.find_user("alice"))->disabled);
  EXPECT_EQ(keys[0].requests_per_minute, std::nullopt);
  EXPECT_EQ(keys[1].plan, "pro");
  EXPECT_EQ(keys[2].limits, LimitList{});
  EXPECT_TRUE(keys[3].previous);
  for (const auto& key : keys) {
    EXPECT_FALSE(has_access_rules(key));
    EXPECT_TRUE(key.labels.empty());
  }
  const Seq before = store.position()->seq;
  AccessKey key = keys[3];
  key.scopes = ScopeList{"orders:*"};
  key.labels = {{"team", "x"}};
  Plan plan = **store.find_plan("pro");
  plan.networks = NetworkList{*IpNetwork::parse("10.0.0.0/8")};
  ASSERT_TRUE(store.transact_and_wait([&](Transaction& transaction) -> Result<void> {
    if (auto put = transaction.put_plan(plan, "plan-update"); !put) return put.error();
    const auto put = transaction.put_key(key, "update");
    return put ? Result<void>() : put.error();
  }));
  EXPECT_EQ(store.position()->seq, before + 2);
  EXPECT_EQ((*store.find_key(key.id))->scopes, key.scopes);
  EXPECT_EQ((*store.find_plan("pro"))->networks, plan.networks);
}

TEST(Upgrade, AnSqliteFileOfSchema3IsBroughtUpAndItsReadersStay) {
  TemporaryDirectory directory;
  const auto path = directory / "latchkey.db";
  std::ofstream(path.c_str()).close();
  auto made = Database::open(path, Access::write, 1000);
  ASSERT_TRUE(made);
  ASSERT_TRUE(made->execute(fixture("schema-3/sqlite.sql").c_str()));
  const auto readers = [&](const char* word) {
    return *made->query_integer(fmt::format("SELECT value = '{}' FROM meta WHERE name = 'readers'", word)) == 1;
  };
  ASSERT_TRUE(readers("3 3"));
  const auto before = log_end(*made);
  SystemClock clock;
  SystemRandom random;
  const auto store = open_sqlite(path, clock, random);
  ASSERT_TRUE(store) << store.error().internal;
  EXPECT_EQ((*store)->position()->seq, before->position.seq);
  EXPECT_TRUE(readers("6 3")) << "replicas of schema 3 may go on, those of schema 2 still not";
  expect_terms_and_rules(**store, clock.wall());
  EXPECT_TRUE(readers("6 4"));
  EXPECT_EQ(*made->query_integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

TEST(Upgrade, AnSqliteFileOfSchema1IsBroughtUpAndItsLogIsAsItWas) {
  TemporaryDirectory directory;
  const auto path = directory / "latchkey.db";
  std::ofstream(path.c_str()).close();
  auto made = Database::open(path, Access::write, 1000);
  ASSERT_TRUE(made);
  ASSERT_TRUE(made->execute(fixture("schema-1/sqlite.sql").c_str()));
  ASSERT_EQ(*made->query_integer("PRAGMA user_version"), 1);
  const auto before = log_end(*made);
  ASSERT_TRUE(before);
  SystemClock clock;
  SystemRandom random;
  const auto store = open_sqlite(path, clock, random);
  ASSERT_TRUE(store) << store.error().internal;
  EXPECT_EQ(*made->query_integer("PRAGMA user_version"), schema_version);
  // Nobody has witnessed how far it was shown (store/sqlite/settle.hpp): another epoch, once.
  EXPECT_EQ((*store)->position()->seq, before->position.seq);
  EXPECT_EQ((*store)->changes_after(Seq{7}, 1)->front().nonce, before->nonce);
  expect_whole(**store, clock.wall());
  const char* newer = "SELECT value = '6 3' FROM meta WHERE name = 'readers'";
  EXPECT_EQ(*made->query_integer(newer), 0) << "replicas of schema 2 may go on";
  expect_terms(**store, clock.wall());
  EXPECT_EQ(*made->query_integer(newer), 1) << "and cannot any longer";
  EXPECT_EQ(*made->query_integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

class PostgresUpgrade : public testing::Test {
 protected:
  explicit PostgresUpgrade(const std::string& file = "schema-1/postgres.sql") {
    auto connection = postgres::Connection::open(*postgres::Url::parse(url()), postgres::Server::any);
    const auto made = (*connection)->execute(fixture(file));
    if (!made) throw std::runtime_error(made.error().internal);
  }
  std::string url() const { return server_.url(database_); }
  std::string query(const std::string& sql) { return server_.query(database_, sql); }
  LogEnd end() {
    auto connection = postgres::Connection::open(*postgres::Url::parse(url()), postgres::Server::any);
    return *postgres::log_end(**connection);
  }

  postgres::TestServer& server_ = postgres::TestServer::shared();
  const std::string database_ = server_.create_database();
  SystemClock clock_;
};

TEST_F(PostgresUpgrade, ADatabaseOfSchema1IsBroughtUpAndItsLogIsAsItWas) {
  const LogEnd before = end();
  const std::string log =
      "SELECT md5(string_agg((to_jsonb(c) - '{kind,plan,limits,description,scopes,networks,labels}'::text[])::text, "
      "'|' ORDER BY seq))"
      " FROM changes c";
  const std::string changes = query(log);
  EXPECT_EQ(query("SELECT to_jsonb(m)->>'home' FROM meta m"), "");
  {
    const auto store = open_postgres(url(), clock_);
    ASSERT_TRUE(store) << store.error().internal;
    EXPECT_EQ(end(), before) << "replicas go on where they were";
    EXPECT_EQ(query(log), changes);
    EXPECT_EQ(query("SELECT schema_version FROM meta"), std::to_string(schema_version));
    EXPECT_EQ(query("SELECT readers FROM meta"), readers_of_schema);
    EXPECT_EQ(query("SELECT count(*) FROM sleeping_triggers()"), "0");
    expect_whole(**store, clock_.wall());
    EXPECT_EQ(query("SELECT readers FROM meta"), readers_of_schema) << "replicas of schema 2 may go on";
    expect_terms(**store, clock_.wall());
    EXPECT_EQ(query("SELECT readers FROM meta"), "6 3") << "and cannot any longer";
  }
  ASSERT_TRUE(open_postgres(url(), clock_)) << "a second start finds nothing to do";
}

class PostgresUpgradeOfSchema3 : public PostgresUpgrade {
 protected:
  PostgresUpgradeOfSchema3() : PostgresUpgrade("schema-3/postgres.sql") {}
};

TEST_F(PostgresUpgradeOfSchema3, IsBroughtUpAndItsReadersStay) {
  ASSERT_EQ(query("SELECT readers FROM meta"), "3 3");
  const LogEnd before = end();
  const auto store = open_postgres(url(), clock_);
  ASSERT_TRUE(store) << store.error().internal;
  EXPECT_EQ(end(), before) << "replicas go on where they were";
  EXPECT_EQ(query("SELECT readers FROM meta"), "6 3") << "those of schema 3 may go on, those of schema 2 still not";
  EXPECT_EQ(query("SELECT count(*) FROM sleeping_triggers()"), "0");
  expect_terms_and_rules(**store, clock_.wall());
  EXPECT_EQ(query("SELECT readers FROM meta"), "6 4");
}

TEST_F(PostgresUpgrade, AStepThatFailsLeavesTheDatabaseAsItWas) {
  server_.execute(database_, "CREATE FUNCTION home() RETURNS integer LANGUAGE sql AS 'SELECT 1'");
  const auto store = open_postgres(url(), clock_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::conflict);
  EXPECT_EQ(store.error().detail, "the database cannot be brought to schema 2");
  EXPECT_EQ(query("SELECT schema_version FROM meta"), "1");
  EXPECT_EQ(query("SELECT count(*) FROM information_schema.columns WHERE column_name = 'understands'"), "0");
}

TEST_F(PostgresUpgrade, TriggersThatWereDisabledAreEnabledAtTheStartAndACommandWithoutThemIsRefused) {
  auto store = open_postgres(url(), clock_);
  ASSERT_TRUE(store);
  server_.execute(database_,
                  "SET session_replication_role = replica; UPDATE access_keys SET name = 'x' WHERE user_id = "
                  "'bob'");
  EXPECT_EQ((*store)->position()->seq, Seq{9}) << "ENABLE ALWAYS";
  server_.execute(database_, "ALTER TABLE access_keys DISABLE TRIGGER USER");
  const auto key = (*store)->list_keys({{}, 1, {}, clock_.wall()})->keys.front();
  const auto written = (*store)->transact_and_wait([&](Transaction& transaction) -> Result<void> {
    const auto version = transaction.put_key(key, "update");
    return version ? Result<void>() : version.error();
  });
  ASSERT_FALSE(written) << "a change that nobody will hear of was acknowledged";
  EXPECT_EQ(written.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(written.error().internal.contains("enable_triggers"));
  (*store).reset();
  store = open_postgres(url(), clock_);
  ASSERT_TRUE(store);
  EXPECT_EQ(query("SELECT count(*) FROM sleeping_triggers()"), "0");
}

}  // namespace
}  // namespace latchkey::store
