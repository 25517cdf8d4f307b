#include "usage/sqlite/sqlite_usage.hpp"

#include <fstream>

#include "base/testing/temporary_directory.hpp"
#include "usage/testing/usage_suite.hpp"

namespace latchkey::usage {
namespace {

class SqliteUsageWorld final : public UsageWorld {
 public:
  std::unique_ptr<UsageDatabase> open_for_writing() override {
    return std::make_unique<SqliteUsage>(path_, store::Access::write);
  }
  std::unique_ptr<UsageDatabase> open_for_reading() override {
    return std::make_unique<SqliteUsage>(path_, store::Access::read);
  }

 private:
  TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_ / "usage.db";
};

INSTANTIATE_TEST_SUITE_P(Sqlite, UsageSuite,
                         testing::Values(UsageEngine{"Sqlite", [] { return std::make_unique<SqliteUsageWorld>(); }}),
                         [](const auto& test) { return test.param.name; });

Row one_row() {
  return {.key = *KeyId::parse("0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d"),
          .user_id = "alice",
          .plan = "",
          .outcome = "admitted",
          .minute = 29'453'760,
          .count = 1};
}

TEST(SqliteUsage, ADamagedFileIsPutAside) {
  const TemporaryDirectory directory;
  const auto path = directory / "usage.db";
  std::ofstream(path) << std::string(8192, 'x');
  const ManualClock clock;
  UsageStore store(std::make_unique<SqliteUsage>(path, store::Access::write), clock, {},
                   UsageStore::Writers::one_replica);
  ASSERT_TRUE(store.write(pack({.writer = "a", .seq = 1, .rows = {one_row()}})).value());
  EXPECT_TRUE(std::filesystem::exists(path.string() + "-damaged"));
}

TEST(SqliteUsage, AFileThatWasRemovedIsMadeAnew) {
  const TemporaryDirectory directory;
  const auto path = directory / "usage.db";
  const ManualClock clock;
  UsageStore store(std::make_unique<SqliteUsage>(path, store::Access::write), clock, {},
                   UsageStore::Writers::one_replica);
  UsageReader reader(std::make_unique<SqliteUsage>(path, store::Access::read),
                     std::make_unique<SqliteUsage>(path, store::Access::read));
  const Query query{.from = {29'453'760LL * 60'000}, .to = {29'453'761LL * 60'000}};
  for (std::uint64_t seq = 1; seq <= 2; ++seq) {
    ASSERT_TRUE(store.write(pack({.writer = "a", .seq = seq, .rows = {one_row()}})).value());
    EXPECT_EQ(reader.read(query, clock.wall()).value().total.admitted, 1U);
    for (std::size_t i = 0; i < 3; ++i) std::filesystem::remove(store::database_file(path, i));
  }
}

TEST(SqliteUsage, ARowTakesAtMost40Bytes) {
  const TemporaryDirectory directory;
  const ManualClock clock;
  auto opened = std::make_unique<SqliteUsage>(directory / "usage.db", store::Access::write);
  SqliteUsage& database = *opened;
  UsageStore store(std::move(opened), clock, {}, UsageStore::Writers::one_replica);
  ASSERT_TRUE(store.write(pack({.writer = "a", .seq = 1})).value());
  const auto before = database.bytes().value();
  ASSERT_TRUE(
      database.query("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199999)"
                     " INSERT INTO usage_minutes SELECT 1000 + i % 2000, 29000000 + i / 2000, 1, 2, 100, 100"
                     " FROM n"));
  const auto bytes = static_cast<double>(database.bytes().value() - before) / 200'000;
  EXPECT_LE(bytes, 40.0);
}

}  // namespace
}  // namespace latchkey::usage
