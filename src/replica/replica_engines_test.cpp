#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <map>

#include "base/testing/temporary_directory.hpp"
#include "replica/memory/memory_registry.hpp"
#include "replica/sqlite/sqlite_registry.hpp"
#include "replica/sqlite/sqlite_reporter.hpp"
#include "replica/testing/replica_registry_suite.hpp"

namespace latchkey::replica {
namespace {

/// Several handles on one registry.
class MemoryWorld final : public RegistryWorld {
 public:
  std::unique_ptr<ReplicaReporter> new_reporter() override { return std::make_unique<Handle>(registry_); }
  std::unique_ptr<ReplicaRegistry> new_registry() override { return std::make_unique<Handle>(registry_); }

 private:
  class Handle final : public ReplicaReporter, public ReplicaRegistry {
   public:
    explicit Handle(MemoryRegistry& registry) : registry_(registry) {}
    Result<std::uint64_t> report(const ReplicaReport& report) override { return registry_.report(report); }
    Result<std::vector<ReplicaReport>> look() override { return registry_.look(); }
    void forget(const ReplicaReport& newest) override { registry_.forget(newest); }
    Result<bool> remove(const ReplicaReport& newest) override { return registry_.remove(newest); }

   private:
    MemoryRegistry& registry_;
  };
  MemoryRegistry registry_;
};

class SqliteWorld final : public RegistryWorld {
 public:
  std::unique_ptr<ReplicaReporter> new_reporter() override { return std::make_unique<SqliteReporter>(config(), clock); }
  std::unique_ptr<ReplicaRegistry> new_registry() override {
    return std::make_unique<SqliteRegistry>(
        SqliteRegistryConfig{path(), "boot", std::chrono::seconds(30), [this] { return replica_runs; },
                             [this] { return replica_ran; }},
        clock);
  }
  bool holds_many() const override { return false; }
  std::filesystem::path path() const { return directory_ / "replicas.db"; }
  SqliteReporterConfig config() const { return {path(), "boot", Reporting::one_replica, lock}; }
  /// As the first replica that ever runs here.
  void begin() {
    ASSERT_TRUE(make_report_file(path(), {"boot", clock.boot(), !replica_ran}));
    replica_ran = true;
  }
  void remove() {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path().string() + suffix);
  }
  ManualClock clock;
  bool replica_runs = false;
  bool replica_ran = false;
  std::string lock = "lock";

 private:
  TemporaryDirectory directory_;
};

template <class World>
std::unique_ptr<RegistryWorld> make() {
  return std::make_unique<World>();
}

/// One that its replica has begun as it should.
class BegunSqliteWorld final : public RegistryWorld {
 public:
  BegunSqliteWorld() { world_.begin(); }
  std::unique_ptr<ReplicaReporter> new_reporter() override { return world_.new_reporter(); }
  std::unique_ptr<ReplicaRegistry> new_registry() override { return world_.new_registry(); }
  bool holds_many() const override { return false; }

 private:
  SqliteWorld world_;
};

INSTANTIATE_TEST_SUITE_P(Engines, ReplicaRegistrySuite,
                         testing::Values(RegistryEngine{"Memory", make<MemoryWorld>},
                                         RegistryEngine{"Sqlite", make<BegunSqliteWorld>}),
                         [](const auto& test) { return test.param.name; });

class SqliteReplicaFile : public testing::Test {
 protected:
  ReplicaReport report(std::uint64_t number) {
    report_.number = number;
    report_.max_staleness = std::chrono::seconds(30);
    return report_;
  }
  std::uint64_t number_seen() {
    const auto found = registry->look();
    return found && found->size() == 1 ? found->front().number : 0;
  }
  void SetUp() override { world.begin(); }
  std::optional<ErrorCode> code() {
    const auto found = registry->look();
    return found ? std::nullopt : std::optional(found.error().code);
  }
  /// Until a missing replica must refuse by itself, and a moment less.
  void expect_nothing_is_certain_for_30_s() {
    EXPECT_EQ(code(), ErrorCode::unavailable);
    world.clock.advance(std::chrono::seconds(30));
    EXPECT_EQ(code(), ErrorCode::unavailable);
    world.clock.advance(std::chrono::seconds(1));
    EXPECT_EQ(code(), std::nullopt);
  }
  SqliteWorld world;
  std::optional<SqliteReporter> reporter{std::in_place, world.config(), world.clock};
  std::unique_ptr<ReplicaRegistry> registry = world.new_registry();

 private:
  ReplicaReport report_;
};

TEST_F(SqliteReplicaFile, IsMadeAnewWhereItWasDeletedBelowBothOfThem) {
  ASSERT_TRUE(reporter->report(report(1)));
  EXPECT_EQ(number_seen(), 1U);
  world.remove();
  EXPECT_EQ(code(), ErrorCode::unavailable);
  ASSERT_TRUE(reporter->report(report(2)));
  expect_nothing_is_certain_for_30_s();
  EXPECT_EQ(number_seen(), 2U);
}

// What is missing and once was there is not "nobody": a replica that is stopped may serve again a moment later.
TEST_F(SqliteReplicaFile, ThatIsGoneSaysNothingUntilWhoeverWasInItMustRefuse) {
  ASSERT_TRUE(reporter->report(report(1)));
  world.remove();
  expect_nothing_is_certain_for_30_s();  // seen by a reader that never saw the file
  registry = world.new_registry();
  EXPECT_EQ(code(), std::nullopt);
  world.remove();
  ASSERT_TRUE(reporter->report(report(2)));
  registry = world.new_registry();
  expect_nothing_is_certain_for_30_s();  // by what the file says of itself
}

// A second one that came and went between two looks, with the replicas in it.
TEST_F(SqliteReplicaFile, ThatIsGoneAgainIsNoticedAgain) {
  world.remove();
  expect_nothing_is_certain_for_30_s();
  world.remove();
  ASSERT_TRUE(reporter->report(report(1)));
  world.remove();
  expect_nothing_is_certain_for_30_s();
}

TEST_F(SqliteReplicaFile, ThatWasEmptiedIsNoProofThatNobodyRuns) {
  ASSERT_TRUE(reporter->report(report(1)));
  world.remove();
  std::ofstream(world.path()).close();
  expect_nothing_is_certain_for_30_s();
}

TEST_F(SqliteReplicaFile, ThatIsTheFirstOneIsWholeAtOnce) {
  EXPECT_EQ(code(), std::nullopt);
  ASSERT_TRUE(reporter->report(report(1)));
  EXPECT_EQ(code(), std::nullopt);
  registry = world.new_registry();
  EXPECT_EQ(number_seen(), 1U);
}

TEST_F(SqliteReplicaFile, ThatIsACopyIsNotBelievedAndNotWrittenTo) {
  ASSERT_TRUE(reporter->report(report(1)));
  reporter.reset();
  std::filesystem::copy_file(world.path(), world.path().string() + ".copy");
  world.remove();
  std::filesystem::rename(world.path().string() + ".copy", world.path());
  registry = world.new_registry();
  expect_nothing_is_certain_for_30_s();
  reporter.emplace(world.config(), world.clock);
  ASSERT_TRUE(reporter->report(report(2)));
  expect_nothing_is_certain_for_30_s();  // it was made anew
}

TEST_F(SqliteReplicaFile, ThatAnotherWasPutInPlaceOfIsNotBelieved) {
  ASSERT_TRUE(reporter->report(report(1)));
  EXPECT_EQ(code(), std::nullopt);
  world.remove();
  world.replica_ran = false;
  world.begin();  // as the first, though this manager has seen another
  expect_nothing_is_certain_for_30_s();
}

// A replica may still run after its lock's file was removed. Under the same lock it has ended.
TEST_F(SqliteReplicaFile, OthersHaveStoppedOnlyUnderTheSameLockOrOnceTheyMustRefuse) {
  const auto phase_of_first = [&] {
    for (const auto& seen : registry->look().value()) {
      if (seen.name == "first") return seen.phase;
    }
    return Phase::stopped;
  };
  SeededRandom random{3};
  ReplicaReport first = report(1);
  first.name = "first";
  first.id = ReplicaId::generate(random);
  ASSERT_TRUE(reporter->report(first));
  ReplicaReport second = report(1);
  second.id = ReplicaId::generate(random);
  world.lock = "another lock";
  reporter.emplace(world.config(), world.clock);
  ASSERT_TRUE(reporter->report(second));
  EXPECT_EQ(phase_of_first(), Phase::running);
  world.clock.advance(std::chrono::seconds(31));
  ++second.number;
  ASSERT_TRUE(reporter->report(second));
  EXPECT_EQ(phase_of_first(), Phase::stopped);
  ++first.number;
  reporter.emplace(world.config(), world.clock);
  ASSERT_TRUE(reporter->report(first));
  EXPECT_EQ(phase_of_first(), Phase::running);
  ++second.number;
  reporter.emplace(world.config(), world.clock);
  ASSERT_TRUE(reporter->report(second));
  EXPECT_EQ(phase_of_first(), Phase::stopped) << "the same lock: it has ended";
}

// test/fixtures/schema-1: it does not say what its replica understands, nor whether anybody is missing in it.
TEST_F(SqliteReplicaFile, OfRelease010IsReadAndGoesOn) {
  world.remove();
  std::ifstream file(LATCHKEY_FIXTURES "/schema-1/replicas.sql");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto execute = [&](const std::string& sql) {
    auto database = store::Database::open(world.path(), store::Access::write, 1000);
    ASSERT_TRUE(database) << database.error().internal;
    const auto done = database->execute(sql.c_str());
    ASSERT_TRUE(done) << done.error().internal;
  };
  std::ofstream(world.path()).close();
  execute(text + "PRAGMA journal_mode=WAL;");
  expect_nothing_is_certain_for_30_s();
  const auto found = registry->look().value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().number, 10U);
  EXPECT_EQ(found.front().understands, 1U);
  execute("UPDATE replicas SET number = 11");  // which goes on beside the management service of this release
  EXPECT_EQ(registry->look().value().front().number, 11U);

  ReplicaReport ours = report(1);
  SeededRandom random{3};
  ours.id = ReplicaId::generate(random);
  ours.understands = 3;
  const auto known = reporter->report(ours);  // the replica is upgraded
  ASSERT_TRUE(known) << known.error().internal;
  world.clock.advance(std::chrono::seconds(31));
  std::map<std::uint64_t, std::uint32_t> understood;
  for (const auto& one : registry->look().value()) understood[one.number] = one.understands;
  EXPECT_EQ(understood[1], 3U);
}

TEST_F(SqliteReplicaFile, IsMadeAnewWhereItIsTorn) {
  for (const char* rubbish :
       {"", "no database at all, and longer than a header needs to be to be read as one: really"}) {
    world.remove();
    std::ofstream(world.path()) << rubbish;
    SqliteReporter next(world.config(), world.clock);
    const auto known = next.report(report(3));
    ASSERT_TRUE(known) << known.error().internal;
    EXPECT_EQ(code(), ErrorCode::unavailable);
    world.clock.advance(std::chrono::seconds(31));
    EXPECT_EQ(number_seen(), 3U);
  }
}

TEST_F(SqliteReplicaFile, TornInTheMiddleOfItsLifeComesBackToo) {
  ASSERT_TRUE(reporter->report(report(1)));
  reporter.reset();  // closes: the -wal is written back
  std::fstream file(world.path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(4096, '\x5a');
  file.close();
  SqliteReporter next(world.config(), world.clock);
  std::uint64_t number = 2;
  ASSERT_TRUE(next.report(report(number)) || next.report(report(++number)));
  world.clock.advance(std::chrono::seconds(31));
  EXPECT_EQ(number_seen(), number);
}

TEST_F(SqliteReplicaFile, StaysSmallHoweverOftenIsReported) {
  for (std::uint64_t i = 1; i <= 3000; ++i) ASSERT_TRUE(reporter->report(report(i)));
  EXPECT_LT(std::filesystem::file_size(world.path()), 64U * 1024);
  EXPECT_LT(std::filesystem::file_size(world.path().string() + "-wal"), 128U * 1024);
}

TEST_F(SqliteReplicaFile, IsNotBelievedToBeEmptyWhileAReplicaRuns) {
  EXPECT_EQ(code(), std::nullopt);
  world.replica_runs = true;
  EXPECT_EQ(code(), ErrorCode::unavailable) << "of a file that is not there";
  auto running = report(1);
  ASSERT_TRUE(reporter->report(running));
  EXPECT_EQ(code(), std::nullopt);
  auto stopped = report(2);
  stopped.phase = Phase::stopped;
  ASSERT_TRUE(reporter->report(stopped));
  EXPECT_EQ(code(), ErrorCode::unavailable) << "the running replica is not the one that said it stopped";
  world.replica_runs = false;
  EXPECT_EQ(code(), std::nullopt);
}

// Which replica it is of, and what to do: a row that is passed over may be a serving replica's.
TEST_F(SqliteReplicaFile, WithARowThatIsNoReportIsUnavailableAndNamesIt) {
  ASSERT_TRUE(reporter->report(report(1)));
  auto database = store::Database::open(world.path(), store::Access::write, 1000).value();
  const auto fault = [&](const std::string& set) {
    EXPECT_TRUE(database.execute(("UPDATE replicas SET " + set).c_str())) << set;
    const auto found = registry->look();
    return found ? std::string() : found.error().detail;
  };
  EXPECT_EQ(fault("name = CAST(x'ff1b' AS TEXT), view_age_ms = 9223372036854775807, started_at = -1 "), "");
  EXPECT_EQ(registry->look()->front().name, "??");
  for (const char* bad :
       {"max_staleness_ms = -5", "max_staleness_ms = 0", "max_staleness_ms = 9223372036854775807",
        "max_staleness_ms = 1000, number = -1", "number = 1, applied = 'x'", "applied = NULL, id = 'junk'"}) {
    EXPECT_THAT(fault(bad), testing::HasSubstr("delete the row")) << bad;
  }
  EXPECT_THAT(fault("stopped = 0"), testing::HasSubstr("\"junk\" and name \"??\""));
  ASSERT_TRUE(database.execute("DELETE FROM replicas WHERE id = 'junk'"));
  ASSERT_TRUE(reporter->report(report(2)));
  EXPECT_EQ(number_seen(), 2U);
}

TEST_F(SqliteReplicaFile, ThatCannotBeReadIsUnavailableAndNotEmpty) {
  std::ofstream(world.path()) << std::string(4096, 'x');
  const auto found = registry->look();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace latchkey::replica
