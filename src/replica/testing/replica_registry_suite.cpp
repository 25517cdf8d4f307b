#include "replica/testing/replica_registry_suite.hpp"

#include <atomic>
#include <thread>

namespace latchkey::replica {

ReplicaReport ReplicaRegistrySuite::new_report(const std::string& name) {
  ReplicaReport report;
  report.id = ReplicaId::generate(random_);
  report.name = name;
  report.number = 1;
  report.max_staleness = std::chrono::seconds(30);
  report.started_at = {1'767'225'600'000};
  report.reported_at = {1'767'225'600'100};
  return report;
}

void ReplicaRegistrySuite::put(ReplicaReporter& reporter, const ReplicaReport& report) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(4);
  for (;;) {
    const auto known = reporter.report(report);
    ASSERT_TRUE(known) << known.error().internal;
    ASSERT_LE(*known, report.number);
    if (*known == report.number) return;
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "the report never arrived";
    world_->carry();
  }
}

namespace {

TEST_P(ReplicaRegistrySuite, NobodyHasReportedAtFirst) {
  const auto found = registry_->look();
  ASSERT_TRUE(found) << found.error().internal;
  EXPECT_TRUE(found->empty());
}

TEST_P(ReplicaRegistrySuite, WhatIsKnownToHaveArrivedIsSeenAsItWasSaid) {
  ReplicaReport report = new_report("Übersee \"1\"");
  report.applied = Position{*epoch, INT64_MAX};
  report.applied_nonce = {UINT64_MAX};
  report.view_age = std::chrono::milliseconds(17);
  report.understands = INT32_MAX;
  put(*reporter_, report);
  EXPECT_EQ(registry_->look().value(), std::vector{report});
}

TEST_P(ReplicaRegistrySuite, ANewerReportStandsInPlaceOfTheOneBefore) {
  ReplicaReport report = new_report("a");
  for (std::uint64_t number = 1; number <= 50; ++number) {
    report.number = number;
    report.understands = static_cast<std::uint32_t>(number);
    report.applied = number % 7 == 0 ? std::nullopt : std::optional(Position{*epoch, number});
    put(*reporter_, report);
    EXPECT_EQ(registry_->look().value(), std::vector{report});
  }
  report.number = 51;
  report.phase = Phase::stopped;
  put(*reporter_, report);
  EXPECT_EQ(registry_->look().value(), std::vector{report});
}

// Of a data directory that was put back from a copy: it would count as known that it serves, and nobody would see it.
TEST_P(ReplicaRegistrySuite, AReportThatIsNotWrittenIsNotKnown) {
  ReplicaReport report = new_report("a");
  report.number = 7;
  put(*reporter_, report);
  const auto other = world_->holds_many() ? world_->new_reporter() : std::move(reporter_);
  ReplicaReport older = report;
  for (const std::uint64_t number : {1U, 6U, 7U}) {
    older.number = number;
    older.phase = Phase::stopped;
    const auto known = other->report(older);
    world_->carry();
    if (!world_->learns_by_number() || number < 7) {
      ASSERT_FALSE(known) << number;
      EXPECT_EQ(known.error().code, ErrorCode::conflict);
    }
    EXPECT_EQ(registry_->look().value(), std::vector{report}) << number;
  }
}

TEST_P(ReplicaRegistrySuite, AnotherReplicaIsAnother) {
  const ReplicaReport one = new_report("same name");
  const ReplicaReport two = new_report("same name");
  put(*reporter_, one);
  if (!world_->holds_many()) reporter_.reset();
  put(*world_->new_reporter(), two);
  const auto found = registry_->look().value();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[0].id, found[1].id);
  // Where only one can run, the next one's first report says that the one before has ended.
  for (const auto& report : found) {
    EXPECT_EQ(report.phase == Phase::stopped, !world_->holds_many() && report.id == one.id);
  }
}

TEST_P(ReplicaRegistrySuite, AReaderThatComesLaterSeesTheSame) {
  const ReplicaReport report = new_report("a");
  put(*reporter_, report);
  EXPECT_EQ(world_->new_registry()->look().value(), std::vector{report});
}

TEST_P(ReplicaRegistrySuite, OneThatWasForgottenByMistakeComesBackWithItsNextReport) {
  ReplicaReport report = new_report("a");
  put(*reporter_, report);
  registry_->forget(report);
  report.number = 2;
  put(*reporter_, report);
  EXPECT_EQ(registry_->look().value(), std::vector{report});
}

TEST_P(ReplicaRegistrySuite, OneThatHasReportedSinceIsNotForgotten) {
  ReplicaReport report = new_report("a");
  put(*reporter_, report);
  const ReplicaReport before = report;
  report.number = 2;
  put(*reporter_, report);
  registry_->forget(before);
  EXPECT_EQ(registry_->look().value(), std::vector{report});
}

TEST_P(ReplicaRegistrySuite, OneThatAnOperatorRemovesIsGoneAtOnceUnlessItHasReportedSince) {
  ReplicaReport report = new_report("a");
  put(*reporter_, report);
  const ReplicaReport before = report;
  report.number = 2;
  put(*reporter_, report);
  ASSERT_EQ(registry_->look().value(), std::vector{report});
  EXPECT_FALSE(registry_->remove(before).value());
  EXPECT_EQ(registry_->look().value(), std::vector{report});
  EXPECT_TRUE(registry_->remove(report).value());
  EXPECT_TRUE(registry_->look().value().empty()) << "and the registry vouches for the others as before";
  EXPECT_FALSE(registry_->remove(report).value());
  report.number = 3;
  put(*reporter_, report);
  EXPECT_EQ(registry_->look().value(), std::vector{report});
}

TEST_P(ReplicaRegistrySuite, TheListStaysShortHoweverManyReplicasComeAndGo) {
  for (int i = 0; i < 100; ++i) {
    reporter_ = world_->new_reporter();
    ReplicaReport report = new_report("life " + std::to_string(i));
    report.reported_at = {report.reported_at.count + i};
    put(*reporter_, report);
    report.number = 2;
    report.phase = Phase::stopped;
    put(*reporter_, report);
    for (const auto& seen : registry_->look().value()) registry_->forget(seen);
    EXPECT_LE(registry_->look()->size(), 16U);
  }
}

TEST_P(ReplicaRegistrySuite, ALookBegunAfterAReportIsKnownFindsItOrANewerOne) {
  ReplicaReport report = new_report("a");
  report.applied = Position{*epoch, 1};
  put(*reporter_, report);
  std::atomic<std::uint64_t> known{1};
  std::atomic<bool> done{false};
  std::thread looking([&] {
    std::uint64_t last = 0;
    while (!done) {
      const std::uint64_t least = known;
      const auto found = registry_->look();
      ASSERT_TRUE(found) << found.error().internal;
      ASSERT_EQ(found->size(), 1U);
      ASSERT_GE(found->front().number, least);
      ASSERT_GE(found->front().number, last) << "it went back";
      ASSERT_EQ(found->front().applied->seq.value, found->front().number) << "a mixture of two reports";
      last = found->front().number;
    }
  });
  for (report.number = 2; report.number <= 1000; ++report.number) {
    report.applied = Position{*epoch, report.number};
    const auto now_known = reporter_->report(report);
    ASSERT_TRUE(now_known) << now_known.error().internal;
    if (*now_known > known) known = *now_known;
    world_->carry();
  }
  done = true;
  looking.join();
}

}  // namespace
}  // namespace latchkey::replica
