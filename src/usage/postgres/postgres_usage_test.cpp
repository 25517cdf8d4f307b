#include "usage/postgres/postgres_usage.hpp"

#include "store/testing/test_server.hpp"
#include "usage/testing/usage_suite.hpp"

namespace latchkey::usage {
namespace {

using store::postgres::TestServer;
using store::postgres::Url;

/// A database of its own.
class PostgresUsageWorld final : public UsageWorld {
 public:
  std::unique_ptr<UsageDatabase> open_for_writing() override {
    (void)open_for_reading()->ready();  // the management service makes the tables
    return open(PostgresUsage::Tables::use);
  }
  std::unique_ptr<UsageDatabase> open_for_reading() override { return open(PostgresUsage::Tables::make); }

 private:
  std::unique_ptr<UsageDatabase> open(PostgresUsage::Tables tables) const {
    return std::make_unique<PostgresUsage>(Url::parse(TestServer::shared().url(database_)).value(), tables);
  }
  const std::string database_ = TestServer::shared().create_database();
};

INSTANTIATE_TEST_SUITE_P(Postgres, UsageSuite,
                         testing::Values(UsageEngine{"Postgres",
                                                     [] { return std::make_unique<PostgresUsageWorld>(); }}),
                         [](const auto& test) { return test.param.name; });

TEST(PostgresUsage, AReplicaWaitsForTheTables) {
  const auto url = Url::parse(TestServer::shared().url(TestServer::shared().create_database())).value();
  PostgresUsage replica(url, PostgresUsage::Tables::use);
  EXPECT_FALSE(replica.ready());
  ASSERT_TRUE(PostgresUsage(url, PostgresUsage::Tables::make).ready());
  for (int i = 0; i < 3000 && !replica.ready(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(replica.ready());
}

}  // namespace
}  // namespace latchkey::usage
