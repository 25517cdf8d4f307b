#include <gmock/gmock.h>

#include <cstdlib>
#include <random>

#include "redis/testing/test_server.hpp"
#include "replica/memory/memory_registry.hpp"
#include "replica/postgres/postgres_registry.hpp"
#include "replica/postgres/postgres_reporter.hpp"
#include "replica/redis/redis_reporter.hpp"
#include "replica/redis/report_drain.hpp"
#include "replica/redis/report_stream.hpp"
#include "replica/testing/replica_registry_suite.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/testing/test_server.hpp"

namespace latchkey::replica {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using store::postgres::Url;

constexpr redis::Timeouts timeouts{.connect = milliseconds(1000), .command = milliseconds(500)};

/// Replicas that know of Redis, a manager that knows of PostgreSQL, and a relay between them.
class RelayedWorld final : public RegistryWorld {
 public:
  RelayedWorld() { store::open_postgres(url(), clock_).value(); }
  std::unique_ptr<ReplicaReporter> new_reporter() override {
    return std::make_unique<RedisReporter>(redis_.address(), clock_, timeouts);
  }
  std::unique_ptr<ReplicaRegistry> new_registry() override {
    return std::make_unique<PostgresRegistry>(Url::parse(url()).value(), clock_, seconds(30));
  }
  void carry() override { ASSERT_TRUE(drain_.step(milliseconds(0))); }
  bool learns_by_number() const override { return true; }

 private:
  std::string url() const { return store::postgres::TestServer::shared().url(database_); }
  const std::string database_ = store::postgres::TestServer::shared().create_database();
  redis::TestServer redis_;
  SystemClock clock_;
  PostgresReporter to_store_{Url::parse(url()).value(), PostgresReporter::Scope::many};
  ReportDrain drain_{redis_.address(), to_store_, clock_, [] { return ReplicaRegistrySuite::epoch; }, timeouts};
};

INSTANTIATE_TEST_SUITE_P(Redis, ReplicaRegistrySuite,
                         testing::Values(RegistryEngine{"RedisAndRelay",
                                                        [] { return std::make_unique<RelayedWorld>(); }}),
                         [](const auto& test) { return test.param.name; });

/// The way to the registry: it may be cut before or after a report has arrived.
class WayToRegistry final : public ReplicaReporter {
 public:
  enum class Cut : std::uint8_t { nowhere, before, after };
  explicit WayToRegistry(MemoryRegistry& registry) : registry_(registry) {}

  Result<std::uint64_t> report(const ReplicaReport& report) override {
    const Error away(ErrorCode::unavailable, "cut");
    if (cut == Cut::before) return away;
    if (report.id == refused) return Error(ErrorCode::conflict, "refused");
    // As the engines do: an older one never takes the place of a newer one.
    std::uint64_t known = 0;
    for (const auto& there : registry_.look().value()) known = there.id == report.id ? there.number : known;
    if (known < report.number) known = registry_.report(report).value();
    if (cut == Cut::after) return away;
    return known;
  }
  Cut cut = Cut::nowhere;
  std::optional<ReplicaId> refused;

 private:
  MemoryRegistry& registry_;
};

class ReportStream : public testing::Test {
 protected:
  ReportStream() {
    report_.id = ReplicaId::generate(random_);
    report_.max_staleness = seconds(30);
  }
  std::uint64_t report() {
    ++report_.number;
    return reporter_.report(report_).value();
  }
  std::uint64_t in_registry(const ReplicaId& id) {
    for (const auto& found : registry_.look().value()) {
      if (found.id == id) return found.number;
    }
    return 0;
  }

  SeededRandom random_{1};
  redis::TestServer redis_;
  SystemClock clock_;
  MemoryRegistry registry_;
  WayToRegistry way_{registry_};
  std::optional<Epoch> followed_ = Epoch{7};
  RedisReporter reporter_{redis_.address(), clock_, timeouts};
  std::unique_ptr<ReportDrain> drain_ = new_drain();
  ReplicaReport report_;

  std::unique_ptr<ReportDrain> new_drain() {
    return std::make_unique<ReportDrain>(
        redis_.address(), way_, clock_, [this] { return followed_; }, timeouts);
  }
};

TEST_F(ReportStream, KnowsNothingThatNoRelayHasCarried) {
  EXPECT_EQ(report(), 0U);
  EXPECT_EQ(report(), 0U);
  ASSERT_TRUE(drain_->step(milliseconds(0)));
  EXPECT_EQ(in_registry(report_.id), 2U);
  EXPECT_EQ(report(), 2U);
}

TEST_F(ReportStream, KnowsNothingThatTheRegistryHasNotTaken) {
  report();
  for (const auto cut : {WayToRegistry::Cut::before, WayToRegistry::Cut::after}) {
    way_.cut = cut;
    EXPECT_FALSE(drain_->step(milliseconds(0)));
    EXPECT_EQ(report(), 0U);
  }
  way_.cut = WayToRegistry::Cut::nowhere;
  ASSERT_TRUE(drain_->step(milliseconds(0)));
  EXPECT_EQ(report(), 3U);
}

// A replica that runs says it again with the next report; one that has stopped does not.
TEST_F(ReportStream, LastWordsAreCarriedOnOnceTheRegistryTakesThem) {
  report();
  ASSERT_TRUE(drain_->step(milliseconds(0)));
  way_.cut = WayToRegistry::Cut::before;
  report_.phase = Phase::stopped;
  report();
  EXPECT_FALSE(drain_->step(milliseconds(0)));
  EXPECT_FALSE(drain_->step(milliseconds(0)));
  way_.cut = WayToRegistry::Cut::nowhere;
  ASSERT_TRUE(drain_->step(milliseconds(0)));
  EXPECT_EQ(registry_.look()->front().phase, Phase::stopped);
}

// By a relay of this release, of a replica of 0.1.0; and by this one, of a later one that says more.
TEST_F(ReportStream, IsUnderstoodOfOlderAndLaterReleases) {
  report_.understands = 7;
  report_.number = 1;
  for (const std::size_t fields : {10U, 11U, 12U}) {
    auto words = report_stream::fields_of(report_);
    if (fields == 12) words.insert(words.end(), {"z", "whatever"});
    words.resize(2 * fields);
    words.insert(words.begin(), {"XADD", report_stream::reports, "*"});
    redis_.run(redis::Command{words});
    ASSERT_TRUE(drain_->step(milliseconds(0)));
    ASSERT_EQ(in_registry(report_.id), report_.number);
    EXPECT_EQ(registry_.look()->front().understands, fields == 10 ? 1U : 7U);
    ++report_.number;
  }
}

// Another store's relay puts them into another registry than the one that this store's manager looks at.
TEST_F(ReportStream, IsNotAcknowledgedByARelayThatDoesNotFollowIt) {
  followed_.reset();
  report();
  ASSERT_TRUE(drain_->step(milliseconds(0)));
  EXPECT_EQ(report(), 0U);
  EXPECT_EQ(in_registry(report_.id), 0U);
  followed_ = Epoch{7};
  ASSERT_TRUE(drain_->step(milliseconds(0)));
  EXPECT_EQ(report(), 2U) << "once it follows it takes what waited";
}

TEST_F(ReportStream, IsNotAcknowledgedByARelayThatFollowsItNoLongerOnceItHasRead) {
  int asked = 0;
  ReportDrain leaving(
      redis_.address(), way_, clock_, [&] { return ++asked == 2 ? std::nullopt : std::optional(Epoch{7}); }, timeouts);
  report();
  ASSERT_TRUE(leaving.step(milliseconds(0)));
  EXPECT_EQ(report(), 0U);
  ASSERT_TRUE(leaving.step(milliseconds(0)));
  EXPECT_EQ(report(), 2U);
}

TEST_F(ReportStream, OfAViewOfAnotherEpochIsNotAcknowledged) {
  report_.applied = Position{{8}, 5};
  report();
  ASSERT_TRUE(drain_->step(milliseconds(0)));
  EXPECT_EQ(report(), 0U);
  EXPECT_EQ(in_registry(report_.id), 0U);
  report_.applied = Position{{7}, 5};
  report();
  ASSERT_TRUE(drain_->step(milliseconds(0)));
  EXPECT_EQ(report(), 3U);
}

TEST_F(ReportStream, BringsNamesThatCanBeShown) {
  report_.name = "\xff\x1b\xc3\x9c";
  report();
  ASSERT_TRUE(drain_->step(milliseconds(0)));
  EXPECT_EQ(registry_.look()->front().name, "??\xc3\x9c");
}

TEST_F(ReportStream, PassesOverWhatNoReplicaCanHaveSaid) {
  for (const auto max_staleness : {milliseconds(-5), milliseconds(0), milliseconds(INT64_MAX)}) {
    report_.max_staleness = max_staleness;
    report();
  }
  report_.max_staleness = seconds(30);
  report_.number = UINT64_MAX;
  EXPECT_EQ(reporter_.report(report_).value(), 0U);
  ASSERT_TRUE(drain_->step(milliseconds(0)));
  EXPECT_TRUE(registry_.look()->empty());
}

TEST_F(ReportStream, IsNotInterruptedByWhoseReportsAreRefusedNorSaidToBeMoreThanOnce) {
  way_.refused = ReplicaId::generate(random_);
  ReplicaReport refused = report_;
  refused.id = *way_.refused;
  testing::internal::CaptureStderr();
  drain_->start();
  for (int i = 0; i < 20; ++i) {
    ++refused.number;
    EXPECT_EQ(reporter_.report(refused).value(), 0U);
    report();
    std::this_thread::sleep_for(milliseconds(10));
  }
  drain_->stop();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  EXPECT_THAT(log, testing::HasSubstr(refused.id.to_string()));
  EXPECT_GT(report(), 10U);
}

TEST_F(ReportStream, IsBoundedAndPassesOverWhatIsNoReport) {
  redis_.run({"XADD", report_stream::reports, "1-0", "i", "rubbish"});
  redis_.run({"XADD", report_stream::reports, "2-0", "a", "b", "c", "d"});
  report();
  ASSERT_TRUE(drain_->step(milliseconds(0)));
  EXPECT_EQ(in_registry(report_.id), 1U);
  EXPECT_EQ(redis_.run({"XLEN", report_stream::reports}).integer, 1) << "older than five seconds";
}

TEST_F(ReportStream, WhereSomethingElseStandsSaysWhatToDo) {
  const auto fault = [&](const Result<void>& done) { return done ? std::string() : done.error().internal; };
  const std::string known = report_stream::known_prefix + report_.id.to_string();
  redis_.run({"SET", report_stream::reports, "x"});
  EXPECT_THAT(reporter_.report(report_).error().internal, testing::HasSubstr("DEL latchkey:{feed}:reports " + known));
  EXPECT_THAT(fault(drain_->step(milliseconds(0))), testing::HasSubstr("DEL latchkey:{feed}:reports"));
  redis_.run({"DEL", report_stream::reports});
  report();
  for (const char* put : {"LPUSH", "SET"}) {
    redis_.run({"DEL", known});
    redis_.run({put, known, "x"});
    ++report_.number;
    EXPECT_THAT(reporter_.report(report_).error().internal, testing::HasSubstr(known));
    EXPECT_EQ(fault(drain_->step(milliseconds(0))), "") << "for one replica no other waits";
    const std::uint64_t said = report_.number;
    EXPECT_EQ(report(), said);
  }
}

TEST_F(ReportStream, StaysBoundedAfterAClockThatWasSetBack) {
  for (int part = 0; part < 12; ++part) {  // each well below the second that an answer may take
    redis_.run(
        {"EVAL",
         "local hour = redis.call('TIME')[1] + 3600 "
         "for i = 1, 10000 do redis.call('XADD', KEYS[1], hour .. '000-' .. (ARGV[1] * 10000 + i), 'a', 'b') end",
         "1", report_stream::reports, std::to_string(part)});
  }
  for (int i = 0; i < 3; ++i) report();  // each drops 10,000 at most
  EXPECT_LE(redis_.run({"XLEN", report_stream::reports}).integer, 100'100) << "a node of the stream has 100 entries";
  ASSERT_TRUE(drain_->step(milliseconds(0)));
}

TEST_F(ReportStream, OfAClockThatWasSetBackIsHeardAgain) {
  report();
  ASSERT_TRUE(drain_->step(milliseconds(0)));
  redis_.run({"DEL", report_stream::reports});
  redis_.run(redis::Command{[&] {
    std::vector<std::string> words{"XADD", report_stream::reports, "5-0"};
    ++report_.number;
    for (auto& word : report_stream::fields_of(report_)) words.push_back(word);
    return words;
  }()});
  for (int i = 0; i < 40 && in_registry(report_.id) < 2; ++i) ASSERT_TRUE(drain_->step(milliseconds(50)));
  EXPECT_EQ(in_registry(report_.id), 2U);
}

// Two replicas, two relays that die and come again, Redis that is emptied, a registry that cannot be reached or an
// answer that is lost. Whatever a replica learns, the registry has.
TEST_F(ReportStream, NeverSaysThatMoreHasArrivedThanHas) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 dice(seed);
  std::array<ReplicaReport, 2> replicas;
  for (auto& replica : replicas) {
    replica.id = ReplicaId::generate(random_);
    replica.max_staleness = seconds(30);
  }
  std::array<std::unique_ptr<ReportDrain>, 2> relays{new_drain(), new_drain()};
  std::size_t learned = 0;
  for (int i = 0; i < (std::getenv("LATCHKEY_LONG") != nullptr ? 100'000 : 3000); ++i) {
    auto& replica = replicas[dice() % 2];
    auto& relay = relays[dice() % 2];
    const auto die = dice() % 100;
    if (die < 50) {
      ++replica.number;
      const auto known = reporter_.report(replica).value();
      ASSERT_LE(known, in_registry(replica.id)) << "step " << i;
      learned += known > 0 ? 1 : 0;
    } else if (die < 93) {
      static_cast<void>(relay->step(milliseconds(0)));
    } else if (die < 95) {
      relay = new_drain();
    } else if (die < 96) {
      redis_.run({"FLUSHALL"});
    } else {
      way_.cut = static_cast<WayToRegistry::Cut>(dice() % 3);
    }
  }
  EXPECT_GT(learned, 300U);
}

}  // namespace
}  // namespace latchkey::replica
