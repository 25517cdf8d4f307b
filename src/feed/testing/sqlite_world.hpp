#pragma once

// For tests: a store's file and a feed on it, with the accidents of a file.

#include "base/testing/temporary_directory.hpp"
#include "feed/sqlite/sqlite_feed.hpp"
#include "feed/testing/change_feed_suite.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace latchkey::feed {

class SqliteWorld final : public FeedWorld {
 public:
  SqliteWorld() { open_store(); }

  store::KeyStore& store() override { return *store_; }
  ChangeFeed& feed() override { return *feed_; }
  void reopen_feed() override { feed_ = std::make_unique<SqliteFeed>(path(), clock_); }
  std::function<void()> backup() override {
    return [this, copy = backup_file()] { restore_from(copy); };
  }
  /// As the shell's .backup and .restore.
  std::filesystem::path backup_file() {
    const auto copy = directory_ / ("backup-" + std::to_string(++backups_)).c_str();
    copy_database(path(), copy);
    return copy;
  }
  void restore_from(const std::filesystem::path& copy) { copy_database(copy, path()); }
  void replace() override {
    store_.reset();
    rename_to("old");
    open_store();
  }
  void make_unreachable() override { std::filesystem::rename(path(), directory_ / "hidden"); }
  void make_reachable() override { std::filesystem::rename(directory_ / "hidden", path()); }
  void lose_change(Seq seq) override {
    execute("DROP TRIGGER changes_remain; DELETE FROM changes WHERE seq = " + std::to_string(seq.value));
  }

  std::filesystem::path path() const { return directory_ / "latchkey.db"; }
  void execute(const std::string& sql) {
    auto shell = store::Database::open(path(), store::Access::write, 5000);
    ASSERT_TRUE(shell);
    const auto done = shell->execute(sql.c_str());
    ASSERT_TRUE(done) << done.error().internal;
  }
  void close_store() { store_.reset(); }
  void open_store() {
    auto opened = store::open_sqlite(path(), clock_, random_);
    if (!opened) throw std::runtime_error(opened.error().internal);
    store_ = std::move(*opened);
  }
  void rename_to(const std::string& name) {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::error_code ignored;
      std::filesystem::rename(path().string() + suffix, (directory_ / name.c_str()).string() + suffix, ignored);
    }
  }
  const TemporaryDirectory& directory() const { return directory_; }

 private:
  static void copy_database(const std::filesystem::path& from, const std::filesystem::path& to) {
    sqlite3* source = nullptr;
    sqlite3* target = nullptr;
    sqlite3_open(from.c_str(), &source);
    sqlite3_open(to.c_str(), &target);
    sqlite3_busy_timeout(target, 5000);
    sqlite3_backup* copy = sqlite3_backup_init(target, "main", source, "main");
    EXPECT_EQ(sqlite3_backup_step(copy, -1), SQLITE_DONE);
    sqlite3_backup_finish(copy);
    sqlite3_close(source);
    sqlite3_close(target);
  }

  TemporaryDirectory directory_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<store::KeyStore> store_;
  std::unique_ptr<SqliteFeed> feed_ = std::make_unique<SqliteFeed>(path(), clock_);
  int backups_ = 0;
};

}  // namespace latchkey::feed
