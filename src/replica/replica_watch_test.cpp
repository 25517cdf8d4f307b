#include "replica/replica_watch.hpp"

#include <gtest/gtest.h>

#include "replica/memory/memory_registry.hpp"

namespace latchkey::replica {
namespace {

using std::chrono::seconds;

class Watch : public testing::Test {
 protected:
  void report(std::uint64_t number, Phase phase = Phase::running) {
    report_.number = number;
    report_.phase = phase;
    report_.max_staleness = seconds(10);
    registry.report(report_).value();
  }
  ObservedReplica seen() {
    const auto look = watch.look().value();
    EXPECT_EQ(look.replicas.size(), 1U);
    return look.replicas.empty() ? ObservedReplica{} : look.replicas.front();
  }
  std::size_t count() { return watch.look()->replicas.size(); }

  ManualClock clock;
  MemoryRegistry registry;
  ReplicaWatch watch{registry, clock};
  ReplicaReport report_;
};

TEST_F(Watch, WhatStoodThereAtTheFirstLookHasNotBeenHeardOf) {
  report(1);
  EXPECT_FALSE(seen().heard);
  EXPECT_FALSE(seen().heard);
  report(2);
  EXPECT_TRUE(seen().heard);
}

TEST_F(Watch, WhoComesLaterHasBeenHeardOf) {
  EXPECT_EQ(count(), 0U);
  report(1);
  EXPECT_TRUE(seen().heard);
}

TEST_F(Watch, SilenceBeginsWhenTheLastReportWasSeen) {
  report(1);
  const BootTime first = seen().silent_from;
  EXPECT_EQ(first, clock.boot());
  clock.advance(seconds(3));
  EXPECT_EQ(seen().silent_from, first);
  report(2);
  EXPECT_EQ(seen().silent_from, clock.boot());
}

TEST_F(Watch, OneThatVanishedIsRememberedAsSilentFromThenOn) {
  report(1);
  seen();
  clock.advance(seconds(5));
  registry.lose_everything();
  EXPECT_TRUE(seen().vanished);
  EXPECT_EQ(seen().silent_from, clock.boot());
  clock.advance(seconds(5));
  EXPECT_FALSE(is_fenced_by_silence(seen(), clock.boot()));
  clock.advance(seconds(6));
  EXPECT_TRUE(is_fenced_by_silence(seen(), clock.boot()));
  report(2);
  EXPECT_FALSE(seen().vanished);
  EXPECT_EQ(seen().silent_from, clock.boot());
}

TEST_F(Watch, TheLongSilentAreForgottenHereAndThere) {
  report(1);
  seen();
  clock.advance(ReplicaWatch::remembered - seconds(1));
  EXPECT_EQ(count(), 1U);
  clock.advance(seconds(1));
  count();  // drops it
  EXPECT_EQ(count(), 0U);
  EXPECT_TRUE(registry.look()->empty());
}

TEST_F(Watch, AnOperatorHasOneForgottenOnceItHasBeenSilentForItsStaleness) {
  const auto code = [&] {
    const auto forgotten = watch.forget(report_.id);
    return forgotten ? std::nullopt : std::optional(forgotten.error().code);
  };
  EXPECT_EQ(code(), ErrorCode::not_found);
  report(1);
  EXPECT_EQ(code(), ErrorCode::conflict);
  clock.advance(seconds(10));
  EXPECT_EQ(code(), ErrorCode::conflict) << "two clocks may run apart";
  report(2);
  clock.advance(seconds(11));
  EXPECT_EQ(code(), ErrorCode::conflict) << "it has reported since the last look";
  EXPECT_EQ(count(), 1U);
  clock.advance(seconds(11));
  EXPECT_EQ(code(), std::nullopt);
  EXPECT_EQ(count(), 0U) << "at once, and it is not remembered as one that vanished";
  EXPECT_TRUE(registry.look()->empty());
  EXPECT_EQ(code(), ErrorCode::not_found);
  report(3);
  EXPECT_TRUE(seen().heard) << "it is back as a new one";
}

TEST_F(Watch, OneThatIsGoneFromTheRegistryOrHasStoppedIsForgottenToo) {
  report(1);
  seen();
  registry.lose_everything();
  EXPECT_EQ(watch.forget(report_.id).error().code, ErrorCode::conflict) << "it may have reported until now";
  clock.advance(seconds(11));
  EXPECT_TRUE(watch.forget(report_.id));
  EXPECT_EQ(count(), 0U);
  report(2, Phase::stopped);
  EXPECT_TRUE(watch.forget(report_.id));
  EXPECT_EQ(count(), 0U);
}

TEST_F(Watch, NobodyIsForgottenWhereTheRegistryCannotBeReached) {
  report(1);
  seen();
  clock.advance(seconds(11));
  registry.set_unreachable(true);
  EXPECT_EQ(watch.forget(report_.id).error().code, ErrorCode::unavailable);
  registry.set_unreachable(false);
  EXPECT_EQ(count(), 1U);
}

TEST_F(Watch, AnUnreachableRegistryIsNotAnEmptyOne) {
  report(1);
  seen();
  registry.set_unreachable(true);
  EXPECT_FALSE(watch.look());
  registry.set_unreachable(false);
  EXPECT_FALSE(seen().vanished);
}

}  // namespace
}  // namespace latchkey::replica
