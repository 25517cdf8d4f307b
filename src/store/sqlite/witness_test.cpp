#include "store/sqlite/witness.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "base/testing/temporary_directory.hpp"
#include "store/sqlite/settle.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace latchkey::store {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

Shown shown_up_to(std::uint64_t seq) { return {{{{7}, {seq}}, {seq * 11}}, {}, {}}; }

class WitnessTest : public testing::Test {
 protected:
  bool replace(Witness& witness, const Shown& expected, const Shown& next) { return *witness.replace(expected, next); }

  TemporaryDirectory directory_;
  fs::path database_ = directory_ / "latchkey.db";
  fs::path file_ = Witness::path_of(database_);
};

TEST_F(WitnessTest, SaysWhatWasWrittenLastToEveryProcess) {
  Witness one(database_, "boot");
  EXPECT_FALSE(one.read()->believed) << "there was no file";
  EXPECT_TRUE(replace(one, {}, shown_up_to(1)));
  Witness other(database_, "boot");
  EXPECT_TRUE(other.read()->believed);
  EXPECT_EQ(other.read()->shown, shown_up_to(1));
  EXPECT_FALSE(replace(other, {}, shown_up_to(9))) << "it says something else by now";
  EXPECT_TRUE(replace(other, shown_up_to(1), shown_up_to(2)));
  EXPECT_EQ(one.read()->shown, shown_up_to(2));
}

TEST_F(WitnessTest, AnotherBootBelievesOnlyWhatAnOrderlyStopHasSynced) {
  Witness before(database_, "boot");
  ASSERT_TRUE(replace(before, {}, shown_up_to(1)));
  EXPECT_FALSE(Witness(database_, "another").read()->believed);
  ASSERT_TRUE(before.sync());
  EXPECT_TRUE(Witness(database_, "another").read()->believed);
  ASSERT_TRUE(replace(before, shown_up_to(1), shown_up_to(2)));
  EXPECT_FALSE(Witness(database_, "another").read()->believed);
}

TEST_F(WitnessTest, ACopyThatWasPutBackIsNotBelieved) {
  Witness witness(database_, "boot");
  ASSERT_TRUE(replace(witness, {}, shown_up_to(1)));
  ASSERT_TRUE(witness.sync());
  fs::copy_file(file_, directory_ / "copy");
  ASSERT_TRUE(replace(witness, shown_up_to(1), shown_up_to(2)));
  std::this_thread::sleep_for(600ms);  // a copy made at once is as new as what it says
  const auto time = fs::last_write_time(file_);
  fs::copy_file(directory_ / "copy", file_, fs::copy_options::overwrite_existing);
  fs::last_write_time(file_, time);  // as cp --preserve
  EXPECT_FALSE(witness.read()->believed);
  EXPECT_FALSE(Witness(database_, "boot").read()->believed);
}

// A folder shared with a host, say: its files have the host's time.
TEST_F(WitnessTest, AFileSystemMayHaveAnotherClock) {
  Witness witness(database_, "boot", 5'000'000'000);
  ASSERT_TRUE(replace(witness, {}, shown_up_to(1)));
  EXPECT_TRUE(Witness(database_, "boot").read()->believed);
}

TEST_F(WitnessTest, WhatIsNoWitnessIsNotBelieved) {
  Witness witness(database_, "boot");
  ASSERT_TRUE(replace(witness, {}, shown_up_to(1)));
  fs::resize_file(file_, 10);
  EXPECT_FALSE(witness.read()->believed);
  fs::remove(file_);
  EXPECT_FALSE(witness.read()->believed) << "the file that is open is not what others would read";
  fs::remove(file_);
  fs::create_directory(file_);
  EXPECT_FALSE(witness.read()) << "and nothing may be shown";
}

TEST(FileStateTest, OnlyAWriteThatSqliteDidNotCountIsForeign) {
  FileState known{1, 2, 3, 4, 5, 6, 7, 8, 9, 9};
  EXPECT_FALSE(written_behind(known, known));
  const auto with = [&](auto edit) {
    FileState now = known;
    edit(now);
    return now;
  };
  const auto written = [](FileState& now) { now.written_ns++, now.digest++; };
  EXPECT_TRUE(written_behind(known, with(written)));
  EXPECT_TRUE(written_behind(known, with([](auto& now) { now.inode++; }))) << "moved in";
  EXPECT_FALSE(written_behind(known, with([](auto& now) { now.written_ns++; }))) << "touched";
  EXPECT_FALSE(written_behind(known, with([&](auto& now) { written(now), now.written_back++; }))) << "a checkpoint";
  EXPECT_FALSE(written_behind(known, with([&](auto& now) { written(now), now.being_written_back++; })))
      << "killed in one";
  EXPECT_FALSE(written_behind(known, with([&](auto& now) { written(now), now.salt++; }))) << "a -wal begun anew";
  EXPECT_FALSE(written_behind(known, with([&](auto& now) { now.inode++, now.wal_inode++; }))) << "all of it moved in";
  EXPECT_FALSE(written_behind(known, with([&](auto& now) { written(now), now.wal_inode = 0; }))) << "there is no -wal";
  EXPECT_FALSE(written_behind({}, with(written))) << "nothing was known";
  EXPECT_TRUE(written_behind(known, with([&](auto& now) {
                               written(now);
                               now.written_back = now.being_written_back = FileState::no_index;
                             })))
      << "without -shm nobody can have made a checkpoint";
}

/// A store's file, and what settle() says of it.
class SettleTest : public WitnessTest {
 protected:
  void SetUp() override {
    auto store = std::move(*open_sqlite(database_, clock_, random_));
    AccessKey key;
    key.id = KeyId::generate({1}, random_);
    key.user_id = "alice";
    key.updated_by = "ops";
    const auto done = store->transact_and_wait([&](Transaction& transaction) -> Result<void> {
      const auto put = transaction.put_key(key, "create");
      return put ? Result<void>() : put.error();
    });
    end_ = *done;
    store.reset();
    shell_.emplace(std::move(*Database::open(database_, Access::write, 5000)));
    ASSERT_TRUE(shell_->query_integer("PRAGMA user_version"));
    open_ = *OpenFiles::of(*shell_);
    files_ = FileState::of(database_, open_, {});
    clean_ = witness_.read()->shown;
  }
  bool begins_epoch() {
    EXPECT_TRUE(shell_->execute("BEGIN IMMEDIATE"));
    const auto begun = settle(*shell_, witness_, files_, random_, Settle::where_needed);
    EXPECT_TRUE(shell_->execute("ROLLBACK"));
    return *begun;
  }
  LogEnd change(std::uint64_t seq, std::uint64_t nonce) const { return {{end_.position.epoch, seq}, nonce}; }
  void say(const LogEnd& end, const LogEnd& next) {
    ASSERT_TRUE(*witness_.replace(witness_.read()->shown, {end, next, files_}));
  }

  SystemClock clock_;
  SystemRandom random_;
  LogEnd end_;
  std::optional<Database> shell_;
  OpenFiles open_;
  FileState files_;
  Witness witness_{database_};
  Shown clean_;
};

TEST_F(SettleTest, AStoppedStoreGoesOn) {
  EXPECT_EQ(clean_.end, end_);
  EXPECT_FALSE(begins_epoch());
}

TEST_F(SettleTest, ALogWithoutWhatWasShownDoesNot) {
  say(change(2, 5), {});
  EXPECT_TRUE(begins_epoch());
}

TEST_F(SettleTest, NorOneWithAnotherChangeThere) {
  say(change(1, end_.nonce.value + 1), {});
  EXPECT_TRUE(begins_epoch());
}

// A store that is killed within COMMIT leaves an announced change that never was.
TEST_F(SettleTest, AnAnnouncedChangeMayBeMissingWhereNothingWasWrittenSince) {
  say(end_, change(2, 5));
  EXPECT_FALSE(begins_epoch());
}

TEST_F(SettleTest, AnAnnouncedChangeThatIsThereWasShown) {
  say(change(0, 0), end_);
  EXPECT_FALSE(begins_epoch());
  EXPECT_EQ(witness_.read()->shown.end, end_);
}

// It may have been committed, shown and lost again.
TEST_F(SettleTest, AnAnnouncedChangeMayNotBeMissingAfterAnythingElseWasWritten) {
  say(end_, change(2, 5));
  ASSERT_TRUE(shell_->execute("INSERT OR REPLACE INTO meta VALUES ('x', 'y')"));
  files_ = FileState::of(database_, open_, files_);
  EXPECT_TRUE(begins_epoch());
}

}  // namespace
}  // namespace latchkey::store
