#pragma once

// For tests: a store's database and a feed on it, with the accidents of a server.

#include "feed/postgres/postgres_feed.hpp"
#include "feed/testing/change_feed_suite.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/testing/test_server.hpp"

namespace latchkey::feed {

class PostgresWorld final : public FeedWorld {
 public:
  PostgresWorld() { open_store(); }

  store::KeyStore& store() override { return *store_; }
  ChangeFeed& feed() override { return *feed_; }
  void reopen_feed() override { feed_ = *open_postgres_feed(url(), clock_); }
  /// In place, with the same epoch: as if the whole cluster's files had been put back.
  std::function<void()> backup() override {
    const std::string name = "backup" + std::to_string(++backups_);
    std::string save = "CREATE SCHEMA " + name + ";";
    std::string restore = "BEGIN;";
    for (const std::string table : {"access_keys", "signing_keys", "changes", "idempotency"}) {
      save += "CREATE TABLE " + name + "." + table + " AS TABLE " + table + ";";
      if (table != "idempotency") restore += "ALTER TABLE " + table + " DISABLE TRIGGER USER;";
      restore += "TRUNCATE " + table + "; INSERT INTO " + table + " SELECT * FROM " + name + "." + table + ";";
    }
    execute(save);
    return [this, restore] { execute(restore + "SELECT enable_triggers(); COMMIT"); };
  }
  void replace() override {
    store_.reset();
    execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    open_store();
  }
  void make_unreachable() override {
    server_.execute("postgres", "ALTER DATABASE " + database_ + " ALLOW_CONNECTIONS false");
    server_.execute("postgres",
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + database_ + "'");
  }
  void make_reachable() override {
    server_.execute("postgres", "ALTER DATABASE " + database_ + " ALLOW_CONNECTIONS true");
  }
  void lose_change(Seq seq) override {
    execute("ALTER TABLE changes DISABLE TRIGGER USER; DELETE FROM changes WHERE seq = " + std::to_string(seq.value) +
            "; SELECT enable_triggers()");
  }

  void close_store() { store_.reset(); }
  void open_store() {
    auto opened = store::open_postgres(url(), clock_);
    if (!opened) throw std::runtime_error(opened.error().internal);
    store_ = std::move(*opened);
  }
  void execute(const std::string& sql) { server_.execute(database_, sql); }
  std::string url() const { return server_.url(database_); }

 private:
  store::postgres::TestServer& server_ = store::postgres::TestServer::shared();
  const std::string database_ = server_.create_database();
  SystemClock clock_;
  std::unique_ptr<store::KeyStore> store_;
  std::unique_ptr<ChangeFeed> feed_ = *open_postgres_feed(url(), clock_);
  int backups_ = 0;
};

}  // namespace latchkey::feed
