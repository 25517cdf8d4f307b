// The database file is replaced, removed or emptied while the store has it open: nothing that only the lost file holds
// is ever acknowledged, and the store goes on with what the path names.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "base/testing/temporary_directory.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/file_identity.hpp"
#include "store/sqlite/foreign_wal.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/sqlite/wal_index.hpp"

namespace latchkey::store {
namespace {

namespace fs = std::filesystem;

class ReplacedFileTest : public testing::Test {
 protected:
  void SetUp() override { store_ = std::move(*open_sqlite(path_, clock_, random_)); }

  Result<Position> put(
      const std::string& user_id, const std::function<void()>& meanwhile = [] {}) {
    AccessKey key;
    key.id = KeyId::generate({++made_}, random_);
    key.user_id = user_id;
    key.created_at = key.updated_at = {1000};
    key.updated_by = "ops";
    const auto done = store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
      const auto put = transaction.put_key(key, "create");
      meanwhile();
      return put ? Result<void>() : put.error();
    });
    if (!done) return done.error();
    return done->position;
  }
  /// The users of the keys in the file at `path`, by an own connection.
  static std::int64_t keys_in(const fs::path& path) {
    return *Database::open(path, Access::read, 5000)->query_integer("SELECT count(*) FROM access_keys");
  }
  fs::path backup() {
    const fs::path copy = directory_ / "backup.db";
    auto shell = std::move(*Database::open(path_, Access::write, 5000));
    EXPECT_TRUE(shell.execute(("VACUUM INTO '" + copy.string() + "'").c_str()));
    return copy;
  }
  void rename_all(const char* to) {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      fs::rename(path_.string() + suffix, (directory_ / to).string() + suffix);
    }
  }
  static void expect_unavailable(const auto& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::unavailable) << result.error().internal;
  }
  /// The first read of a new file may only set the store off to open it.
  Position position_in_the_end() {
    for (;;) {
      if (const auto position = store_->position()) return *position;
      std::this_thread::yield();
    }
  }

  TemporaryDirectory directory_;
  fs::path path_ = directory_ / "latchkey.db";
  ManualClock clock_;
  SystemRandom random_;
  std::unique_ptr<KeyStore> store_;
  std::int64_t made_ = 0;
};

TEST_F(ReplacedFileTest, AWalIndexFitsTheWalItWasMadeFromAndNoOther) {
  const auto copy_to = [&](const char* name, std::initializer_list<const char*> suffixes) {
    for (const char* suffix : suffixes) fs::copy_file(path_.string() + suffix, (directory_ / name).string() + suffix);
    return directory_ / name;
  };
  ASSERT_TRUE(put("alice"));
  EXPECT_TRUE(wal_index_fits(copy_to("whole.db", {"", "-wal", "-shm"})));
  EXPECT_FALSE(wal_index_fits(copy_to("without_wal.db", {"", "-shm"})));
  EXPECT_TRUE(wal_index_fits(copy_to("without_index.db", {"", "-wal"})));
  const auto shorter = copy_to("shorter.db", {"", "-wal", "-shm"});
  fs::resize_file(shorter.string() + "-wal", fs::file_size(shorter.string() + "-wal") - 1);
  EXPECT_FALSE(wal_index_fits(shorter));

  auto shell = std::move(*Database::open(path_, Access::write, 5000));
  ASSERT_TRUE(shell.execute("PRAGMA wal_checkpoint(RESTART)"));
  EXPECT_TRUE(wal_index_fits(copy_to("restarted.db", {"", "-wal", "-shm"})));
  ASSERT_TRUE(put("bob"));
  EXPECT_TRUE(wal_index_fits(copy_to("begun_anew.db", {"", "-wal", "-shm"})));
  fs::copy_file(directory_ / "whole.db-wal", directory_ / "begun_anew.db-wal", fs::copy_options::overwrite_existing);
  EXPECT_FALSE(wal_index_fits(directory_ / "begun_anew.db")) << "the -wal of the life before";
}

/// Another process that holds SQLite's lock on writing while it lives.
class OtherWriter {
 public:
  explicit OtherWriter(const fs::path& index) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    child_ = ::fork();
    if (child_ == 0) {
      const int file = ::open(index.c_str(), O_RDWR);
      struct flock lock {};
      lock.l_type = F_WRLCK;
      lock.l_whence = SEEK_SET;
      lock.l_start = 120;
      lock.l_len = 1;
      const char told = ::fcntl(file, F_SETLK, &lock) == 0 ? 'y' : 'n';
      (void)!::write(ready[1], &told, 1);
      for (;;) ::pause();
    }
    char told = 0;
    EXPECT_EQ(::read(ready[0], &told, 1), 1);
    EXPECT_EQ(told, 'y');
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~OtherWriter() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

 private:
  pid_t child_ = -1;
};

TEST_F(ReplacedFileTest, AWalIndexIsNotSetAsideWhileAnotherProcessCommits) {
  ASSERT_TRUE(put("alice"));
  const auto database = directory_ / "first.db";
  for (const char* suffix : {"", "-wal", "-shm"}) fs::copy_file(path_.string() + suffix, database.string() + suffix);
  // As the first commit on a new -wal leaves them for a moment: its header is there, the index knows nothing of it.
  const std::string index = database.string() + "-shm";
  std::fstream(index, std::ios::binary | std::ios::in | std::ios::out).seekp(16).write("\0\0\0\0", 4);
  std::fstream(index, std::ios::binary | std::ios::in | std::ios::out).seekp(32).write("\0\0\0\0\0\0\0\0", 8);
  EXPECT_FALSE(wal_index_fits(database));
  {
    const OtherWriter other(index);
    set_unfitting_index_aside(database);
    EXPECT_TRUE(fs::exists(index));
  }
  set_unfitting_index_aside(database);
  EXPECT_FALSE(fs::exists(index)) << "with nobody at work they do not belong together";
}

TEST_F(ReplacedFileTest, ACommandAfterARenameIsRefusedAndTheNextGoesToTheNewFile) {
  ASSERT_TRUE(put("early"));
  const auto copy = backup();
  ASSERT_TRUE(put("late"));
  const Position before = *store_->position();
  rename_all("old.db");
  fs::rename(copy, path_);
  expect_unavailable(put("lost"));
  EXPECT_EQ(keys_in(directory_ / "old.db"), 2) << "what was acknowledged is in the old file, what was refused is not";
  const auto after = put("new");
  ASSERT_TRUE(after) << after.error().internal;
  EXPECT_EQ(after->seq, before.seq);
  EXPECT_NE(after->epoch, before.epoch) << "or the lost history's position would name another change";
  EXPECT_EQ(keys_in(path_), 2);
  EXPECT_EQ(store_->list_keys(KeyPageRequest())->keys.size(), 2U);
}

TEST_F(ReplacedFileTest, AReplacementWithinATransactionFailsIt) {
  ASSERT_TRUE(put("early"));
  const auto copy = backup();
  expect_unavailable(put("lost", [&] {
    rename_all("old.db");
    fs::rename(copy, path_);
  }));
  EXPECT_EQ(keys_in(directory_ / "old.db"), 1);
  EXPECT_TRUE(put("new"));
}

TEST_F(ReplacedFileTest, ReadsAloneBringTheNewFile) {
  ASSERT_TRUE(put("early"));
  const auto copy = backup();
  ASSERT_TRUE(put("late"));
  ASSERT_TRUE(store_->position());
  rename_all("old.db");
  fs::rename(copy, path_);
  expect_unavailable(store_->position());
  EXPECT_EQ(position_in_the_end().seq, Seq{1});
}

TEST_F(ReplacedFileTest, WhatIsSetAsideTakesNoNameInUse) {
  const fs::path wanted = directory_ / "old.db";
  EXPECT_EQ(unused_name(wanted), wanted);
  std::ofstream(wanted.string() + "-wal") << "x";
  EXPECT_EQ(unused_name(wanted).string(), wanted.string() + "-2") << "its -wal would be written over";
  fs::create_symlink("nowhere", wanted.string() + "-2");
  EXPECT_EQ(unused_name(wanted).string(), wanted.string() + "-3");
}

// SQLite would take the old -wal for the new file's own.
TEST_F(ReplacedFileTest, AnOldWalBesideTheNewFileIsSetAside) {
  ASSERT_TRUE(put("early"));
  const auto copy = backup();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(put("late"));
  fs::rename(copy, path_);
  expect_unavailable(put("lost"));
  EXPECT_TRUE(put("new"));
  EXPECT_EQ(keys_in(path_), 2);
  EXPECT_TRUE(fs::exists(path_.string() + "-wal.replaced"));
  store_.reset();
  store_ = std::move(*open_sqlite(path_, clock_, random_));
  EXPECT_EQ(store_->position()->seq, Seq{2});
}

TEST_F(ReplacedFileTest, ARemovedFileIsNotMadeAnewAndMayComeBack) {
  ASSERT_TRUE(put("early"));
  const Position before = *store_->position();
  rename_all("hidden.db");
  expect_unavailable(put("lost"));
  expect_unavailable(store_->position());
  EXPECT_FALSE(fs::exists(path_));
  for (const char* suffix : {"-wal", "-shm", ""}) {
    fs::rename((directory_ / "hidden.db").string() + suffix, path_.string() + suffix);
  }
  EXPECT_EQ(position_in_the_end().epoch, before.epoch) << "it is the same file, and never was another";
  EXPECT_TRUE(put("new"));
  EXPECT_EQ(keys_in(path_), 2);
}

TEST_F(ReplacedFileTest, ARemovedWalIsNoticed) {
  ASSERT_TRUE(put("early"));
  for (const char* suffix : {"-wal", "-shm"}) fs::remove(path_.string() + suffix);
  expect_unavailable(put("lost"));
  ASSERT_TRUE(put("new"));
  const auto kept = keys_in(path_);
  store_.reset();
  EXPECT_EQ(keys_in(path_), kept) << "what is acknowledged from then on is there for others, and to stay";
}

TEST_F(ReplacedFileTest, AnEmptiedFileIsRefusedUntilItIsADatabaseAgain) {
  ASSERT_TRUE(put("early"));
  const auto copy = backup();
  ASSERT_TRUE(put("late"));
  fs::resize_file(path_, 0);
  expect_unavailable(put("lost"));
  expect_unavailable(put("lost"));
  EXPECT_EQ(fs::file_size(path_), 0U) << "nothing was written to it";
  fs::copy_file(copy, path_, fs::copy_options::overwrite_existing);  // the same inode
  expect_unavailable(put("lost"));
  ASSERT_TRUE(put("new"));
  EXPECT_EQ(keys_in(path_), 2);
}

TEST_F(ReplacedFileTest, AFileThatIsNotADatabaseIsRefused) {
  ASSERT_TRUE(put("early"));
  const auto copy = backup();
  fs::remove(path_);
  std::FILE* file = std::fopen(path_.c_str(), "w");
  std::fputs(std::string(8192, 'x').c_str(), file);
  std::fclose(file);
  expect_unavailable(put("lost"));
  expect_unavailable(put("lost"));
  expect_unavailable(store_->position());
  fs::rename(copy, path_);
  EXPECT_EQ(position_in_the_end().seq, Seq{1});
  EXPECT_TRUE(put("new"));
}

// Whatever the moment of the swap: what was acknowledged is in one of the two files, and what came after is in the new.
TEST_F(ReplacedFileTest, ReadersAndWritersLiveThroughManyReplacements) {
  ASSERT_TRUE(put("early"));
  std::atomic<bool> stop = false;
  std::jthread reading([&] {
    while (!stop) static_cast<void>(store_->list_keys(KeyPageRequest()));
  });
  for (int round = 0; round < 20; ++round) {
    const auto copy = backup();
    std::thread replacing([&] { fs::rename(copy, path_); });
    for (int i = 0; i < 3; ++i) static_cast<void>(put("any"));
    replacing.join();
    static_cast<void>(put("notices"));
    const auto before = position_in_the_end();
    const auto put_now = put("now");
    EXPECT_TRUE(put_now) << put_now.error().internal;
    if (!put_now) break;
    EXPECT_EQ(put_now->seq, before.seq + 1);
    EXPECT_EQ(keys_in(path_), static_cast<std::int64_t>(put_now->seq.value));
  }
  stop = true;
  reading.join();
  auto shell = std::move(*Database::open(path_, Access::write, 5000));
  auto check = shell.prepare("PRAGMA integrity_check");
  ASSERT_EQ((*check)->step(), SQLITE_ROW);
  EXPECT_EQ((*check)->text(0), "ok");
}

}  // namespace
}  // namespace latchkey::store
