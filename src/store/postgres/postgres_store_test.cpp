#include "store/postgres/postgres_store.hpp"

#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "store/testing/test_server.hpp"

namespace latchkey::store::postgres {
namespace {

using namespace std::chrono_literals;

class PostgresEngine : public testing::Test {
 protected:
  explicit PostgresEngine(TestServer& server = TestServer::shared()) : server_(server) {}

  std::unique_ptr<KeyStore> open() {
    auto opened = open_postgres(server_.url(database_), clock_);
    if (!opened) throw std::runtime_error(opened.error().internal);
    return std::move(*opened);
  }
  AccessKey new_key() {
    AccessKey key;
    key.id = KeyId::generate(clock_.wall(), random_);
    key.user_id = "alice";
    key.created_at = key.updated_at = clock_.wall();
    key.updated_by = "ops";
    return key;
  }
  KeyStore::Work put(const AccessKey& key) {
    return [key](Transaction& transaction) -> Result<void> {
      const auto version = transaction.put_key(key, "create");
      return version ? Result<void>() : version.error();
    };
  }
  void execute(const std::string& sql) { server_.execute(database_, sql); }
  std::string query(const std::string& sql) { return server_.query(database_, sql); }

  TestServer& server_;
  const std::string database_ = server_.create_database();
  SystemClock clock_;
  SystemRandom random_;
};

TEST_F(PostgresEngine, AHandEditIsAChangeOfAnUnknownActor) {
  const auto store = open();
  const AccessKey key = new_key();
  ASSERT_TRUE(store->transact_and_wait(put(key)));
  for (const char* edit :
       {"UPDATE access_keys SET disabled = true", "UPDATE access_keys SET disabled = false",
        "UPDATE access_keys SET issued_at = issued_at + 1", "UPDATE access_keys SET version = 77, name = 'x'",
        "UPDATE access_keys SET deleted = true", "DELETE FROM access_keys"}) {
    execute(edit);
  }
  const auto changes = store->changes_after(Seq{1}, 100);
  std::vector<std::string> actions;
  for (const auto& change : *changes) {
    actions.push_back(change.action);
    EXPECT_EQ(change.actor, "unknown");
    EXPECT_EQ(change.seq, std::get<AccessKey>(change.row).version.change());
  }
  EXPECT_THAT(actions, testing::ElementsAre("disable", "enable", "rotate", "update", "delete"))
      << "a row that is deleted already goes without a change";
  EXPECT_EQ(*store->find_key(key.id), std::nullopt);
}

TEST_F(PostgresEngine, TheLogCannotBeChangedAndTheTablesNotTruncated) {
  const auto store = open();
  ASSERT_TRUE(store->transact_and_wait(put(new_key())));
  for (const char* edit :
       {"UPDATE changes SET actor = 'eve'", "DELETE FROM changes", "TRUNCATE changes", "TRUNCATE access_keys",
        "UPDATE access_keys SET key_id = '0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d'",
        "INSERT INTO changes SELECT (jsonb_populate_record(c, '{\"seq\": 9}')).* FROM changes c"}) {
    EXPECT_ANY_THROW(execute(edit)) << edit;
  }
}

TEST_F(PostgresEngine, SeveralStoresAtOnceMakeOneSchemaAndOneDenseLog) {
  std::vector<std::future<std::unique_ptr<KeyStore>>> opening;
  for (int i = 0; i < 3; ++i) opening.push_back(std::async(std::launch::async, [this] { return open(); }));
  std::vector<std::unique_ptr<KeyStore>> stores;
  for (auto& one : opening) stores.push_back(one.get());
  const AccessKey shared = new_key();
  ASSERT_TRUE(stores[0]->transact_and_wait(put(shared)));
  std::vector<std::thread> callers;
  std::atomic<int> failures = 0;
  for (auto& store : stores) {
    callers.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        const auto done = store->transact_and_wait([&](Transaction& transaction) -> Result<void> {
          auto key = **transaction.find_key(shared.id);
          ++*key.requests_per_minute;
          const auto version = transaction.put_key(key, "update");
          return version ? Result<void>() : version.error();
        });
        if (!done) ++failures;
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ((*stores[0]->find_key(shared.id))->requests_per_minute, 31U);
  EXPECT_EQ(stores[0]->position()->seq, Seq{31});
  EXPECT_EQ(*stores[0]->position(), *stores[2]->position());
}

// The primary's clock was an hour ahead and has been set right: readers of a standby wait for the next beat.
TEST_F(PostgresEngine, ABeatThatLiesAheadIsReplaced) {
  const auto store = open();
  execute("UPDATE heartbeat SET at = now_millis() + 3600000");
  for (int i = 0; i < 1000 && query("SELECT at > now_millis() FROM heartbeat") == "t"; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(query("SELECT at > now_millis() FROM heartbeat"), "f");
}

// As behind PgBouncer in transaction mode, where another client's statement has the name.
TEST_F(PostgresEngine, APoolerThatSharesConnectionsIsNamed) {
  const auto connection = Connection::open(*Url::parse(server_.url(database_)), Server::primary);
  ASSERT_TRUE(connection);
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE((*connection)->execute("PREPARE s" + std::to_string(i + 1) + " AS SELECT 1"));
  }
  const auto taken = (*connection)->query("SELECT 2");
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().internal, testing::HasSubstr("a pooler in session mode"));
}

TEST_F(PostgresEngine, ADeadlockWithAHandEditIsRunAgain) {
  const auto store = open();
  const AccessKey key = new_key();
  ASSERT_TRUE(store->transact_and_wait(put(key)));
  auto shell = *Connection::open(*Url::parse(server_.url(database_)), Server::primary);
  ASSERT_TRUE(shell->execute("SET deadlock_timeout = '60s'; BEGIN; SELECT FROM access_keys FOR UPDATE"));
  auto command = std::async(std::launch::async, [&] { return store->transact_and_wait(put(key)); });
  while (query("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0") std::this_thread::sleep_for(5ms);
  ASSERT_TRUE(shell->execute("UPDATE access_keys SET name = 'by hand'; COMMIT"));
  const auto done = command.get();
  ASSERT_TRUE(done) << done.error().internal;
  EXPECT_EQ(done->position.seq, Seq{3});
}

TEST_F(PostgresEngine, AConnectionThatDiesIsReplacedUnnoticed) {
  const auto store = open();
  ASSERT_TRUE(store->transact_and_wait(put(new_key())));
  ASSERT_TRUE(store->position());
  execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + database_ +
          "' AND pid <> pg_backend_pid()");
  EXPECT_TRUE(store->position());
  const auto done = store->transact_and_wait(put(new_key()));
  ASSERT_TRUE(done) << done.error().internal;
  EXPECT_EQ(done->position.seq, Seq{2});
}

// The trigger runs within COMMIT and ends the session there, once: nothing was committed, and nobody can tell.
TEST_F(PostgresEngine, ACommitThatWasLostAndUndoneIsRunAgain) {
  const auto store = open();
  execute(
      "CREATE SEQUENCE once; CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " IF nextval('once') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); END IF;"
      " RETURN NULL; END $$;"
      "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON changes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE "
      "FUNCTION die()");
  int runs = 0;
  const AccessKey key = new_key();
  const auto done = store->transact_and_wait([&](Transaction& transaction) {
    ++runs;
    return put(key)(transaction);
  });
  ASSERT_TRUE(done) << done.error().internal;
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(done->position.seq, Seq{1});
  EXPECT_EQ(store->position()->seq, Seq{1});
}

/// A server with commits that wait for a standby that is not there, until told otherwise.
class SynchronousPostgres : public PostgresEngine {
 protected:
  SynchronousPostgres() : PostgresEngine(own()) {}
  static TestServer& own() {
    static TestServer server;
    return server;
  }
  void wait_for_standby(const char* name) {
    server_.execute("postgres", std::string("ALTER SYSTEM SET synchronous_standby_names = '") + name + "'");
    server_.execute("postgres", "SELECT pg_reload_conf()");
  }
  /// A reload takes effect when the server's checkpointer comes to it. Returns when commits do wait.
  void wait_for_nobody() {
    wait_for_standby("nobody");
    for (bool waited = false; !waited;) {
      const auto commit =
          std::async(std::launch::async, [this] { execute("SELECT pg_logical_emit_message(true, '', '')"); });
      while (!waited && commit.wait_for(1ms) != std::future_status::ready) waited = waiting() != "0";
      if (waited) execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    }
  }
  std::string waiting() {
    return query("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = '" + database_ +
                 "'");
  }
  ~SynchronousPostgres() override { wait_for_standby(""); }
};

TEST_F(SynchronousPostgres, ACommitWhoseAnswerWasLostIsFoundAndAcknowledgedOnceItIsSafe) {
  const auto store = open();
  ASSERT_TRUE(store->transact_and_wait(put(new_key())));
  std::this_thread::sleep_for(50ms);
  wait_for_nobody();
  int runs = 0;
  const AccessKey key = new_key();
  auto command = std::async(std::launch::async, [&] {
    return store->transact_and_wait([&](Transaction& transaction) {
      ++runs;
      return put(key)(transaction);
    });
  });
  while (waiting() == "0") std::this_thread::sleep_for(5ms);
  execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
  EXPECT_EQ(command.wait_for(1500ms), std::future_status::timeout) << "acknowledged what no standby has";
  wait_for_standby("");
  const auto done = command.get();
  ASSERT_TRUE(done) << done.error().internal;
  EXPECT_EQ(runs, 1) << "committed, and run again";
  EXPECT_EQ(done->position.seq, Seq{2});
  EXPECT_EQ(store->position()->seq, Seq{2});
}

TEST_F(SynchronousPostgres, ACommitThatNobodyCanVouchForIsNotAcknowledged) {
  const auto store = open();
  ASSERT_TRUE(store->transact_and_wait(put(new_key())));
  std::this_thread::sleep_for(50ms);
  wait_for_nobody();
  const auto done = store->transact_and_wait(put(new_key()));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::unavailable);
  EXPECT_THAT(done.error().detail, testing::HasSubstr("not known"));
  wait_for_standby("");
}

TEST(PostgresUrl, NoErrorRepeatsThePassword) {
  SystemClock clock;
  for (const char* url : {"postgresql://u:s3cret/x@127.0.0.1:1/db", "postgresql://u:s3cret@127.0.0.1:1/db",
                          "postgresql://u:12s3cret@127.0.0.1:1/db?nonsense=1", "postgresql://u:1/s3cret@127.0.0.1/db",
                          "postgresql://127.0.0.1:1/db?user=u&password=s3cret&sslmode=s3cret"}) {
    const auto opened = open_postgres(url, clock);
    ASSERT_FALSE(opened) << url;
    EXPECT_THAT(opened.error().detail + opened.error().internal, testing::Not(testing::HasSubstr("s3cret"))) << url;
  }
  EXPECT_TRUE(check_postgres_url("postgresql://u:p%40ss@a,b:5432/db?sslmode=verify-full"));
  EXPECT_FALSE(check_postgres_url("postgresql://u:p@ss@a/db"));
}

}  // namespace
}  // namespace latchkey::store::postgres
