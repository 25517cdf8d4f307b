#include "store/sqlite/sqlite_store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/testing/temporary_directory.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/queries.hpp"

namespace latchkey::store {
namespace {

constexpr const char* id_text = "0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d";

class SqliteStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = std::move(*open_sqlite(path_, clock_, random_));
    shell_.emplace(std::move(*Database::open(path_, Access::write, 5000)));
  }
  void by_hand(const std::string& sql) {
    const auto done = shell_->execute(sql.c_str());
    ASSERT_TRUE(done) << done.error().internal;
  }
  void refused(const std::string& sql) { EXPECT_FALSE(shell_->execute(sql.c_str())) << sql; }
  AccessKey put_key() {
    AccessKey key;
    key.id = *KeyId::parse(id_text);
    key.user_id = "alice";
    key.created_at = key.updated_at = {5'000'000'000'000};  // ahead of any clock that triggers may read
    key.updated_by = "ops";
    EXPECT_TRUE(store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
      return transaction.put_key(key, "create") ? Result<void>() : Error();
    }));
    return **store_->find_key(key.id);
  }
  /// The last change, which must agree with the row where there still is one.
  Change last_change(Seq expected_seq) {
    const auto changes = *store_->changes_after(Seq{0}, 1000);
    EXPECT_EQ(Seq{changes.size()}, expected_seq);
    if (const auto row = *store_->find_key(*KeyId::parse(id_text))) {
      EXPECT_EQ(std::get<AccessKey>(changes.back().row), *row);
    }
    return changes.back();
  }

  TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "data" / "latchkey.db";
  ManualClock clock_;
  SystemRandom random_;
  std::unique_ptr<KeyStore> store_;
  std::optional<Database> shell_;
};

TEST_F(SqliteStoreTest, FilesArePrivate) {
  put_key();
  const auto mode_of = [](const std::filesystem::path& path) {
    struct stat file {};
    EXPECT_EQ(::stat(path.c_str(), &file), 0) << path;
    return file.st_mode & 0777U;
  };
  EXPECT_EQ(mode_of(path_.parent_path()), 0700U);
  for (const char* suffix : {"", "-wal", "-shm"}) EXPECT_EQ(mode_of(path_.string() + suffix), 0600U) << suffix;
}

TEST_F(SqliteStoreTest, ReopeningKeepsEpochAndRows) {
  const AccessKey key = put_key();
  const Position position = *store_->position();
  store_.reset();
  store_ = std::move(*open_sqlite(path_, clock_, random_));
  EXPECT_EQ(*store_->position(), position);
  EXPECT_EQ(*store_->find_key(key.id), key);
}

TEST_F(SqliteStoreTest, AFileOfANewerReleaseIsRefused) {
  store_.reset();
  by_hand("PRAGMA user_version = 99");
  const auto opened = open_sqlite(path_, clock_, random_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::conflict);
}

TEST_F(SqliteStoreTest, SomebodyElsesDatabaseIsRefused) {
  store_.reset();
  by_hand("PRAGMA application_id = 7");
  EXPECT_EQ(open_sqlite(path_, clock_, random_).error().code, ErrorCode::conflict);
}

TEST_F(SqliteStoreTest, EachHandEditIsAChangeOfItsOwnKind) {
  const AccessKey before = put_key();
  const std::pair<const char*, const char*> edits[] = {
      {"SET disabled = 1", "disable"},      {"SET disabled = 0", "enable"},
      {"SET name = 'x'", "update"},         {"SET issued_at = issued_at + 1", "rotate"},
      {"SET updated_by = 'eve'", "update"}, {"SET version = 3", "update"},
      {"SET deleted = 1", "delete"},        {"SET disabled = 1, version = (SELECT max(seq) FROM changes)", "disable"}};
  for (const char* recursive : {"PRAGMA recursive_triggers = OFF", "PRAGMA recursive_triggers = ON"}) {
    by_hand(recursive);
    Seq seq = store_->position()->seq;
    UnixMillis last = (*store_->find_key(before.id))->updated_at;
    for (const auto& [edit, action] : edits) {
      by_hand(std::string("UPDATE access_keys ") + edit);
      const Change change = last_change(++seq);
      EXPECT_EQ(change.action, action) << edit;
      EXPECT_EQ(change.actor, "unknown");
      EXPECT_EQ(std::get<AccessKey>(change.row).version.change(), seq);
      EXPECT_GT(change.at, last) << "updated_at moves forward";
      last = change.at;
    }
    by_hand("UPDATE access_keys SET deleted = 0, disabled = 0");
  }
}

TEST_F(SqliteStoreTest, InsertOrReplaceAndDeleteByHandAreChanges) {
  put_key();
  by_hand("PRAGMA recursive_triggers = OFF");
  by_hand(
      "INSERT OR REPLACE INTO access_keys SELECT key_id, 'bob', role, name, metadata, 9, issued_at, NULL, NULL, NULL,"
      " 0, 0, created_at, updated_at, updated_by, version, NULL, NULL, NULL, NULL, NULL, NULL FROM"
      " access_keys");
  const Change replaced = last_change(Seq{2});
  EXPECT_EQ(std::get<AccessKey>(replaced.row).user_id, "bob");
  EXPECT_EQ(replaced.actor, "unknown");
  by_hand("DELETE FROM access_keys");
  const Change deleted = last_change(Seq{3});
  EXPECT_EQ(deleted.action, "delete");
  EXPECT_TRUE(std::get<AccessKey>(deleted.row).deleted);
  EXPECT_EQ(std::get<AccessKey>(deleted.row).version, Version{3});
}

TEST_F(SqliteStoreTest, ACommandAfterAHandEditIsItsOwnAgain) {
  put_key();
  by_hand("UPDATE access_keys SET disabled = 1");
  put_key();
  const Change change = last_change(Seq{3});
  EXPECT_EQ(change.action, "create");
  EXPECT_EQ(change.actor, "ops");
}

TEST_F(SqliteStoreTest, TheLogCannotBeEditedAndRowsCannotBreakTheRules) {
  put_key();
  for (const char* sql :
       {"UPDATE changes SET actor = 'x'", "DELETE FROM changes", "INSERT OR REPLACE INTO changes SELECT * FROM changes",
        "INSERT INTO changes (seq, nonce, at, actor, action, key_id, created_at) VALUES (9, 1, 1, 'x', 'y', 'z', 1)",
        "UPDATE access_keys SET key_id = '0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5e'", "UPDATE access_keys SET key_id = 'x'",
        "UPDATE access_keys SET requests_per_minute = 0", "UPDATE access_keys SET metadata = '[]'",
        "UPDATE access_keys SET disabled = 2", "UPDATE access_keys SET user_id = ''",
        "UPDATE access_keys SET previous_issued_at = 1", "UPDATE access_keys SET expires_at = 'soon'"}) {
    refused(sql);
  }
  last_change(Seq{1});
}

TEST_F(SqliteStoreTest, AFailedCommitIsTheErrorOfEveryWorkInIt) {
  put_key();
  shell_->execute("BEGIN IMMEDIATE");  // held longer than the writer waits for it
  const auto failed = store_->transact_and_wait([](Transaction&) { return Result<void>(); });
  shell_->execute("ROLLBACK");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(store_->transact_and_wait([](Transaction&) { return Result<void>(); })) << "and it recovers";
}

TEST_F(SqliteStoreTest, APageWalksOneIndexAndNeverSorts) {
  const auto plan_of = [&](const KeyFilter& filter) {
    auto statement = shell_->prepare("EXPLAIN QUERY PLAN " + list_keys_sql(filter));
    EXPECT_TRUE(statement);
    std::string plan;
    while ((*statement)->step() == SQLITE_ROW) plan += std::string((*statement)->text(3)) + "\n";
    return plan;
  };
  const std::pair<KeyFilter, const char*> cases[] = {
      {{}, "PRIMARY KEY (key_id<?)"},
      {{.user_id = "a"}, "access_keys_user (user_id=? AND key_id<?)"},
      {{.user_id = "a", .status = KeyStatus::active, .name = "n"}, "access_keys_user (user_id=? AND key_id<?)"},
      {{.status = KeyStatus::active}, "access_keys_live (key_id<?)"},
      {{.status = KeyStatus::expired}, "access_keys_live (key_id<?)"},
      {{.status = KeyStatus::active, .expires_before = UnixMillis{1}}, "access_keys_live (key_id<?)"},
      {{.status = KeyStatus::disabled}, "access_keys_disabled (key_id<?)"},
      {{.status = KeyStatus::deleted, .name = "n"}, "access_keys_deleted (key_id<?)"},
      {{.name = "n"}, "access_keys_named (key_id<?)"}};
  for (const auto& [filter, index] : cases) {
    const std::string plan = plan_of(filter);
    EXPECT_NE(plan.find(std::string("SEARCH")), std::string::npos) << plan;
    EXPECT_NE(plan.find(index), std::string::npos) << plan;
    EXPECT_EQ(plan.find("TEMP B-TREE"), std::string::npos) << plan;
  }
}

}  // namespace
}  // namespace latchkey::store
