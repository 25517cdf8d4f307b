#include <gmock/gmock.h>

#include <thread>

#include "replica/postgres/postgres_registry.hpp"
#include "replica/postgres/postgres_reporter.hpp"
#include "replica/testing/replica_registry_suite.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/testing/test_server.hpp"

namespace latchkey::replica {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using store::postgres::TestServer;
using store::postgres::Url;

/// A database of its own, with the store's tables.
class PostgresWorld final : public RegistryWorld {
 public:
  PostgresWorld() { store::open_postgres(url(), clock_).value(); }
  std::unique_ptr<ReplicaReporter> new_reporter() override {
    return std::make_unique<PostgresReporter>(Url::parse(url()).value());
  }
  std::unique_ptr<ReplicaRegistry> new_registry() override {
    return std::make_unique<PostgresRegistry>(Url::parse(url()).value(), clock_, seconds(30));
  }

 private:
  std::string url() const { return TestServer::shared().url(database_); }
  const std::string database_ = TestServer::shared().create_database();
  SystemClock clock_;
};

INSTANTIATE_TEST_SUITE_P(Postgres, ReplicaRegistrySuite,
                         testing::Values(RegistryEngine{"Postgres", [] { return std::make_unique<PostgresWorld>(); }}),
                         [](const auto& test) { return test.param.name; });

/// A server of its own that keeps its promises on disk, and what may befall it.
class PostgresLives : public testing::Test {
 protected:
  PostgresLives() {
    store::open_postgres(url(), system_).value();
    report_.id = ReplicaId::generate(random_);
    report_.max_staleness = seconds(10);
  }
  std::string url() const { return server_.url(database_); }
  std::unique_ptr<PostgresRegistry> new_registry() {
    return std::make_unique<PostgresRegistry>(Url::parse(url()).value(), clock_, seconds(10));
  }
  void put(ReplicaReport report) {
    while (!reporter_.report(report)) std::this_thread::sleep_for(milliseconds(5));
  }
  /// How many replicas it knows of, once it reaches the server; nullopt where that is not certain.
  static std::optional<std::size_t> count(ReplicaRegistry& registry) {
    for (;;) {
      const auto found = registry.look();
      if (found) return found->size();
      if (found.error().detail.find("not certain yet") != std::string::npos) return std::nullopt;
      std::this_thread::sleep_for(milliseconds(5));
    }
  }
  void expect_certain_only_after_max_staleness(std::size_t replicas) {
    const auto other = new_registry();
    EXPECT_EQ(count(*registry_), std::nullopt);
    EXPECT_EQ(count(*other), std::nullopt) << "a manager that has just started";
    clock_.advance(seconds(10));
    EXPECT_EQ(count(*registry_), std::nullopt) << "within the margin";
    clock_.advance(milliseconds(100));
    EXPECT_EQ(count(*registry_), replicas);
    EXPECT_EQ(count(*other), replicas) << "what one has found out, the others may rely on";
    EXPECT_EQ(count(*new_registry()), replicas);
  }

  TestServer server_{store::postgres::Durability::real};
  const std::string database_ = server_.create_database();
  SystemClock system_;
  ManualClock clock_;
  SeededRandom random_{1};
  ReplicaReport report_;
  PostgresReporter reporter_{Url::parse(url()).value()};
  std::unique_ptr<PostgresReporter> new_reporter_ = std::make_unique<PostgresReporter>(Url::parse(url()).value());
  std::unique_ptr<PostgresRegistry> registry_ = nullptr;
};

TEST_F(PostgresLives, TheFirstOneIsKnownToLackNobody) {
  registry_ = new_registry();
  EXPECT_EQ(count(*registry_), 0U);
  report_.number = 1;
  put(report_);
  EXPECT_EQ(count(*new_registry()), 1U);
}

TEST_F(PostgresLives, AfterACrashWhoWasKnownStillIsAndTheRestIsWaitedFor) {
  registry_ = new_registry();
  report_.number = 1;
  put(report_);
  server_.kill(SIGQUIT);  // before anything else made it write to disk
  server_.start();
  expect_certain_only_after_max_staleness(1);
}

TEST_F(PostgresLives, AnOlderStateThatWasPutBackIsNotBelievedAtOnce) {
  registry_ = new_registry();
  EXPECT_EQ(count(*registry_), 0U);
  server_.kill(SIGINT);
  const auto copy = server_.directory() / "copy";
  server_.copy_data(server_.data(), copy);
  server_.start();
  report_.number = 1;
  put(report_);
  server_.kill(SIGINT);
  std::filesystem::remove_all(server_.data());
  std::filesystem::rename(copy, server_.data());
  server_.start();
  expect_certain_only_after_max_staleness(0);
  report_.number = 2;
  put(report_);
  EXPECT_EQ(count(*registry_), 1U);
}

// What a subscriber of logical replication was, or a restored dump: a service that confirms looks at the original's table.
TEST_F(PostgresLives, AReportIntoACopyThatNobodyCommitsToIsNotKnown) {
  report_.number = 1;
  put(report_);
  server_.execute(database_, "UPDATE meta SET home = 'another database'");
  for (auto* reporter : {&reporter_, new_reporter_.get()}) {
    ++report_.number;
    const auto known = reporter->report(report_);
    ASSERT_FALSE(known);
    EXPECT_EQ(known.error().code, ErrorCode::unavailable);
    report_.id = ReplicaId::generate(random_);
  }
  server_.execute(database_, "UPDATE meta SET home = home()");
  ++report_.number;
  EXPECT_TRUE(reporter_.report(report_));
}

TEST_F(PostgresLives, ATableThatWasEmptiedIsNotBelievedAtOnce) {
  registry_ = new_registry();
  report_.number = 1;
  put(report_);
  EXPECT_EQ(count(*registry_), 1U);
  server_.execute(database_, "TRUNCATE replicas");
  expect_certain_only_after_max_staleness(0);
}

}  // namespace
}  // namespace latchkey::replica
