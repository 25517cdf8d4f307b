// The chain of real databases: written by commands and by hand, told when somebody changed it, begun where it was not.

#include <gtest/gtest.h>

#include <thread>

#include "base/testing/temporary_directory.hpp"
#include "store/postgres/audit.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/audit.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/testing/test_server.hpp"

namespace latchkey::store {
namespace {

constexpr const char* by_hand = "UPDATE access_keys SET name = 'by hand' WHERE user_id = 'alice'";

bool eventually(const std::function<bool()>& done) {
  for (int i = 0; i < 6000 && !done(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return done();
}

class ChainOf : public testing::TestWithParam<const char*> {
 protected:
  ChainOf() {
    if (is_sqlite()) return;
    server_ = &postgres::TestServer::shared();
    database_ = server_->create_database();
  }
  bool is_sqlite() const { return std::string_view(GetParam()) == "Sqlite"; }
  std::unique_ptr<KeyStore> open() {
    auto store = is_sqlite() ? open_sqlite(file_, clock_, random_) : open_postgres(server_->url(database_), clock_);
    EXPECT_TRUE(store) << store.error().detail << store.error().internal;
    return std::move(*store);
  }
  /// As by psql, or the sqlite3 shell.
  void execute(const std::string& sql) {
    if (!is_sqlite()) return server_->execute(database_, sql);
    auto database = Database::open(file_, Access::write, store_busy_timeout_ms);
    ASSERT_TRUE(database);
    const auto done = database->execute(sql.c_str());
    ASSERT_TRUE(done) << done.error().internal;
  }
  /// What the triggers that keep the log would refuse.
  void forge(const std::string& sql) {
    execute(is_sqlite() ? "DROP TRIGGER changes_stay"
                        : "ALTER TABLE changes DISABLE TRIGGER stay, DISABLE TRIGGER stay_but_erased");
    execute(sql);
  }
  ChainReport verify() {
    if (is_sqlite()) return verify_sqlite_chain(file_)->report;
    auto connection = postgres::Connection::open(*postgres::Url::parse(server_->url(database_)), postgres::Server::any);
    return *postgres::verify_chain(**connection);
  }
  void put(KeyStore& store, const std::string& user, const AuditNote& note = {}) {
    AccessKey key;
    key.id = KeyId::generate(clock_.wall(), random_);
    key.user_id = user;
    key.requests_per_minute = 60;
    key.created_at = key.updated_at = clock_.wall();
    key.updated_by = "ops";
    ASSERT_TRUE(store.transact_and_wait([&](Transaction& transaction) -> Result<void> {
      if (const auto put = transaction.put_key(key, "create"); !put) return put.error();
      return transaction.note(note);
    }));
  }

  SystemClock clock_;
  SystemRandom random_;
  TemporaryDirectory directory_;
  const std::filesystem::path file_ = directory_ / "latchkey.db";
  postgres::TestServer* server_ = nullptr;
  std::string database_;
};

TEST_P(ChainOf, LinksCommandsInTheirTransactionAndEditsByHandSoonAfter) {
  const auto store = open();
  put(*store, "alice", {"192.0.2.1", "curl", "why", "", ""});
  EXPECT_EQ(verify().whole, 1U);
  execute(std::string(is_sqlite() ? "" : "SET application_name = 'psql'; ") + by_hand);
  EXPECT_TRUE(eventually([&] { return verify().whole == 2; }));
  put(*store, "bob");
  const auto report = verify();
  EXPECT_EQ(report.whole, 3U);
  EXPECT_EQ(report.unlinked, 0U);
  EXPECT_FALSE(report.broken);
  const auto page = store->audit({});
  EXPECT_EQ(page->entries.at(1).note.application, is_sqlite() ? "sqlite" : "psql");
  EXPECT_EQ(page->entries.at(1).note.role, is_sqlite() ? "" : "latchkey");
}

TEST_P(ChainOf, NamesTheFirstRowThatIsNotAsItWasWritten) {
  {
    const auto store = open();
    for (const char* user : {"alice", "bob", "carol", "dave"}) put(*store, user, {"192.0.2.1", "", "why", "", ""});
  }
  forge("UPDATE changes SET requests_per_minute = 1 WHERE seq = 2");
  ASSERT_TRUE(verify().broken);
  EXPECT_EQ(verify().broken->seq, Seq{2});
  execute("UPDATE changes SET requests_per_minute = 60 WHERE seq = 2");
  EXPECT_FALSE(verify().broken);
  execute("UPDATE audit SET reason = 'another' WHERE seq = 3");
  ASSERT_TRUE(verify().broken);
  EXPECT_EQ(verify().broken->seq, Seq{3});
  execute("UPDATE audit SET reason = 'why' WHERE seq = 3");
  execute("DELETE FROM chain WHERE seq = 2");
  ASSERT_TRUE(verify().broken);
  EXPECT_EQ(verify().broken->seq, Seq{2});
}

TEST_P(ChainOf, AnErasedRowIsSaidToBeOne) {
  {
    const auto store = open();
    put(*store, "alice", {"192.0.2.1", "", "why", "", ""});
    put(*store, "bob");
  }
  forge("UPDATE changes SET user_id = 'p-1', name = '', actor = 'p-2' WHERE seq = 1");
  execute("DELETE FROM audit WHERE seq = 1");
  execute("UPDATE chain SET salt = NULL WHERE seq = 1");
  const auto report = verify();
  EXPECT_FALSE(report.broken);
  EXPECT_EQ(report.erased, 1U);
  EXPECT_EQ(report.whole, 1U);
}

TEST_P(ChainOf, BeginsBehindWhatWasThereWithoutOne) {
  {
    const auto store = open();
    put(*store, "alice");
    put(*store, "bob");
  }
  execute("DROP TABLE chain; DROP TABLE audit");
  for (const char* index : {"key", "user", "signing_key"}) execute(std::string("DROP INDEX changes_of_") + index);
  execute("DROP INDEX changes_by_actor; DROP INDEX changes_by_time");
  execute(is_sqlite() ? "DROP INDEX changes_of_terms; DROP TRIGGER changes_by_hand"
                      : "DROP INDEX changes_of_plan; DROP INDEX changes_of_user_row;"
                        "DROP TRIGGER by_hand ON changes; DROP FUNCTION note_hand_edit()");
  const auto store = open();
  put(*store, "carol");
  const auto report = verify();
  EXPECT_EQ(report.begins_after, Seq{2});
  EXPECT_EQ(report.whole, 1U);
  EXPECT_FALSE(report.broken);
}

INSTANTIATE_TEST_SUITE_P(Engines, ChainOf, testing::Values("Sqlite", "Postgres"),
                         [](const auto& test) { return std::string(test.param); });

TEST(SqliteAudit, EveryFilterWalksAnIndexAndSortsNothing) {
  TemporaryDirectory directory;
  SystemClock clock;
  SystemRandom random;
  const auto file = directory / "latchkey.db";
  ASSERT_TRUE(open_sqlite(file, clock, random));
  auto database = Database::open(file, Access::read, 1000);
  const AuditQuery queries[] = {{},
                                {.newest_first = true},
                                {.key_id = KeyId()},
                                {.newest_first = true, .user_id = "u"},
                                {.newest_first = true, .actor = "a", .since = UnixMillis{1}},
                                {.since = UnixMillis{1}, .until = UnixMillis{2}}};
  for (const auto& query : queries) {
    auto plan = database->prepare("EXPLAIN QUERY PLAN " + audit_sql(query));
    ASSERT_TRUE(plan);
    while ((*plan)->step() == SQLITE_ROW) {
      EXPECT_TRUE((*plan)->text(3).starts_with("SEARCH changes USING")) << (*plan)->text(3);
    }
  }
}

}  // namespace
}  // namespace latchkey::store
