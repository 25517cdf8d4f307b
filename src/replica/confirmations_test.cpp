#include "replica/confirmations.hpp"

#include <gtest/gtest.h>

#include <future>

#include "replica/memory/memory_registry.hpp"

namespace latchkey::replica {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Waiting : public testing::Test {
 protected:
  void report(std::optional<std::uint64_t> seq, Epoch epoch = {7}, std::uint64_t fork = never) {
    ++report_.number;
    report_.max_staleness = seconds(10);
    report_.applied = seq ? std::optional(Position{epoch, *seq}) : std::nullopt;
    report_.applied_nonce = {seq && *seq > 0 ? nonce_of(*seq, fork) : 0};
    registry.report(report_).value();
  }
  void understands(std::uint32_t newest) { report_.understands = newest; }
  /// Of a change in the history that was put back and went on at `begin`, or, without, in the first one.
  static std::uint64_t nonce_of(std::uint64_t seq, std::uint64_t begin) { return seq > begin ? 2 * seq + 1 : 2 * seq; }
  static constexpr std::uint64_t never = 1'000'000;
  /// Of a change that was committed to the history that goes on from `fork`.
  std::future<Confirmation> confirm(std::uint64_t seq, Duration bound = std::chrono::hours(1),
                                    std::uint64_t fork = never) {
    auto promise = std::make_shared<std::promise<Confirmation>>();
    confirmations.confirm(*confirmations.reserve(Confirmations::Waiter::admin), {{{7}, seq}, nonce_of(seq, fork)},
                          bound, [promise](Confirmation c) { promise->set_value(std::move(c)); });
    return promise->get_future();
  }
  static bool answered(std::future<Confirmation>& answer) {
    return answer.wait_for(milliseconds(30)) == std::future_status::ready;
  }

  ManualClock clock;
  MemoryRegistry registry;
  ReplicaWatch watch{registry, clock};
  Metrics metrics;
  std::atomic<std::uint64_t> head_seq{100};
  std::atomic<std::uint64_t> head_epoch{7};
  std::atomic<std::uint64_t> fork_after{never};  // of the store's log
  std::atomic<bool> store_is_away{false};
  std::atomic<std::uint32_t> kind{oldest_change_kind};  // of every change
  std::atomic<std::uint64_t> unreadable{never};         // the seq at which the store's log cannot be read
  Confirmations confirmations{watch,
                              {.end = [this]() -> Result<Position> {
                                 if (store_is_away) return Error(ErrorCode::unavailable);
                                 return Position{{head_epoch}, head_seq};
                               },
                               .at = [this](Seq seq) -> Result<std::optional<LoggedChange>> {
                                 if (seq == Seq{unreadable}) return Error(ErrorCode::unavailable);
                                 if (seq > Seq{head_seq}) return std::optional<LoggedChange>();
                                 return std::optional(LoggedChange{Nonce{nonce_of(seq.value, fork_after)}, kind});
                               }},
                              clock,
                              metrics,
                              {.max_waiting = 8}};

 private:
  ReplicaReport report_;
};

TEST_F(Waiting, EndsWhenTheReplicaHasAppliedTheChange) {
  report(41);
  auto answer = confirm(42);
  EXPECT_FALSE(answered(answer));
  report(42);
  const auto confirmation = answer.get();
  EXPECT_EQ(confirmation.enforcement, Enforcement::confirmed);
  ASSERT_EQ(confirmation.replicas.size(), 1U);
  EXPECT_EQ(confirmation.replicas[0].verdict, Verdict::applied);
}

TEST_F(Waiting, EndsWhenTheReplicaHasFencedItself) {
  report(41);
  auto answer = confirm(42);
  EXPECT_FALSE(answered(answer));
  clock.advance(seconds(11));
  EXPECT_EQ(answer.get().replicas.at(0).verdict, Verdict::fenced);
}

// The kind of a change is read from the store's log: a caller that waits need not know it.
TEST_F(Waiting, IsNotEndedByAReplicaThatDoesNotUnderstandTheChange) {
  kind = 3;
  understands(2);
  report(42);
  auto answer = confirm(42, seconds(60));
  clock.advance(seconds(11));
  report(43);  // it reports on, with a view that is current
  EXPECT_FALSE(answered(answer));
  understands(3);
  report(44);  // upgraded
  EXPECT_EQ(answer.get().replicas.at(0).verdict, Verdict::applied);
}

TEST_F(Waiting, EndsWhenAReplicaThatDoesNotUnderstandTheChangeIsSilent) {
  kind = 3;
  understands(2);
  report(42);
  auto answer = confirm(42, seconds(60));
  EXPECT_FALSE(answered(answer));
  clock.advance(seconds(11));
  EXPECT_EQ(answer.get().replicas.at(0).verdict, Verdict::fenced);
}

TEST_F(Waiting, SaysThatAReplicaIsOutdatedWhenItsTimeIsUp) {
  kind = 3;
  report(42);
  auto answer = confirm(42, seconds(3));
  EXPECT_FALSE(answered(answer));
  clock.advance(seconds(3));
  EXPECT_EQ(answer.get().replicas.at(0).verdict, Verdict::outdated);
}

TEST_F(Waiting, EndsWithTheLaggardsWhenItsTimeIsUp) {
  report(41);
  auto answer = confirm(42, seconds(3));
  EXPECT_FALSE(answered(answer));
  clock.advance(seconds(3));
  const auto confirmation = answer.get();
  EXPECT_EQ(confirmation.enforcement, Enforcement::pending);
  EXPECT_EQ(confirmation.replicas.at(0).verdict, Verdict::waiting);
  EXPECT_EQ(confirmation.waited, seconds(3));
}

TEST_F(Waiting, IsNotEndedByAReplicaOfAnotherEpoch) {
  report(1);
  auto answer = confirm(42, seconds(3));
  report(999, {8});
  EXPECT_FALSE(answered(answer));
  clock.advance(seconds(3));
  EXPECT_EQ(answer.get().replicas.at(0).verdict, Verdict::other_epoch);
}

TEST_F(Waiting, ConfirmsNothingThatTheStoreHasLost) {
  head_seq = 41;
  EXPECT_EQ(confirm(42).get().enforcement, Enforcement::lost);
  head_seq = 100;
  head_epoch = 8;
  fork_after = 41;
  EXPECT_EQ(confirm(42).get().enforcement, Enforcement::lost);
  head_epoch = 7;
  fork_after = never;
  EXPECT_EQ(confirm(42).get().enforcement, Enforcement::confirmed);
}

// Another epoch, and the same change at the same seq: what it was confirmed by is what follows.
TEST_F(Waiting, GoesOnAfterAFailoverThatLostNothing) {
  report(41);
  auto answer = confirm(42);
  EXPECT_FALSE(answered(answer));
  head_epoch = 8;
  report(41, {8});
  EXPECT_FALSE(answered(answer));
  report(42, {8});
  const auto confirmation = answer.get();
  EXPECT_EQ(confirmation.enforcement, Enforcement::confirmed);
  EXPECT_EQ(confirmation.replicas.at(0).verdict, Verdict::applied);
}

TEST_F(Waiting, IsToldAtOnceThatAFailoverLostIt) {
  report(41);
  auto answer = confirm(42);
  EXPECT_FALSE(answered(answer));
  head_epoch = 8;
  fork_after = 41;
  report(99, {8}, 41);
  EXPECT_EQ(answer.get().enforcement, Enforcement::lost);
}

TEST_F(Waiting, IsNotEndedByOneThatStaysWithTheLifeBeforeTheFailover) {
  report(41);
  auto answer = confirm(42, seconds(3));
  head_epoch = 8;
  report(42);
  EXPECT_FALSE(answered(answer));
  clock.advance(seconds(3));
  EXPECT_EQ(answer.get().replicas.at(0).verdict, Verdict::other_epoch);
}

// A copy of the database's files put back keeps its epoch, and soon its seqs pass for those of the history before.
TEST_F(Waiting, IsNotEndedByAReplicaOnAHistoryThatWasUndone) {
  report(43);
  fork_after = 41;
  head_seq = 42;
  auto answer = confirm(42, seconds(3), 41);
  report(43);
  EXPECT_FALSE(answered(answer)) << "43 is beyond the store's end";
  head_seq = 50;
  report(44);
  EXPECT_FALSE(answered(answer)) << "44 of another history";
  clock.advance(seconds(3));
  EXPECT_EQ(answer.get().replicas.at(0).verdict, Verdict::other_epoch);
  auto next = confirm(50, std::chrono::hours(1), 41);
  report(50, {7}, 41);  // it has noticed, and loaded anew
  EXPECT_EQ(next.get().replicas.at(0).verdict, Verdict::applied);
}

TEST_F(Waiting, ConfirmsNothingThatWasUndoneAndWrittenOver) {
  report(41);
  auto answer = confirm(42);
  EXPECT_FALSE(answered(answer));
  fork_after = 40;
  report(42, {7}, 40);
  EXPECT_EQ(answer.get().enforcement, Enforcement::lost);
}

// Put back and grown past the change before anybody has looked: all agree with the store, and none has the change.
TEST_F(Waiting, ConfirmsNothingThatWasUndoneBeforeItsFirstLook) {
  fork_after = 40;
  report(43, {7}, 40);
  EXPECT_EQ(confirm(42).get().enforcement, Enforcement::lost);
}

TEST_F(Waiting, ConfirmsNothingThatItHasNotSeenInTheStore) {
  report(42);
  store_is_away = true;
  auto answer = confirm(42, seconds(3));
  auto later = confirm(42);
  EXPECT_FALSE(answered(answer));
  clock.advance(seconds(3));
  EXPECT_EQ(answer.get().enforcement, Enforcement::unknown);
  EXPECT_FALSE(answered(later));
  store_is_away = false;
  EXPECT_EQ(later.get().enforcement, Enforcement::confirmed);
}

TEST_F(Waiting, ConfirmsNothingWhileWhatAReplicaHasCannotBeLookedUp) {
  report(43);
  unreadable = 43;
  auto answer = confirm(42, seconds(3));
  EXPECT_FALSE(answered(answer)) << "the store has 42, but nobody can tell which 43 that is";
  clock.advance(seconds(3));
  EXPECT_EQ(answer.get().enforcement, Enforcement::unknown);
}

TEST_F(Waiting, ConfirmsNothingWhileTheRegistryCannotBeRead) {
  registry.set_unreachable(true);
  auto answer = confirm(42, seconds(3));
  EXPECT_FALSE(answered(answer));
  clock.advance(seconds(3));
  EXPECT_EQ(answer.get().enforcement, Enforcement::unknown);
  auto later = confirm(42);
  registry.set_unreachable(false);
  EXPECT_EQ(later.get().enforcement, Enforcement::confirmed);
}

TEST_F(Waiting, IsForManyAtOnce) {
  report(0);
  std::vector<std::future<Confirmation>> answers;
  for (std::uint64_t seq = 1; seq <= 8; ++seq) answers.push_back(confirm(seq));
  report(4);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(answers[i].get().enforcement, Enforcement::confirmed);
  for (std::size_t i = 4; i < 8; ++i) EXPECT_FALSE(answered(answers[i]));
  report(8);
  for (std::size_t i = 4; i < 8; ++i) EXPECT_EQ(answers[i].get().enforcement, Enforcement::confirmed);
}

TEST_F(Waiting, IsBoundedAndHoldersLeaveRoomForAdmins) {
  std::vector<Confirmations::Place> places;
  const auto take = [&](Confirmations::Waiter waiter) {
    auto place = confirmations.reserve(waiter);
    if (place) places.push_back(std::move(*place));
    return place.has_value();
  };
  EXPECT_TRUE(take(Confirmations::Waiter::holder));
  EXPECT_TRUE(take(Confirmations::Waiter::holder));
  EXPECT_FALSE(take(Confirmations::Waiter::holder));
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(take(Confirmations::Waiter::admin));
  EXPECT_FALSE(take(Confirmations::Waiter::admin));
  places.pop_back();
  EXPECT_TRUE(take(Confirmations::Waiter::admin));
  places.clear();
  EXPECT_TRUE(take(Confirmations::Waiter::holder));
}

TEST_F(Waiting, GivesItsPlaceBackWhenAnswered) {
  for (int i = 0; i < 50; ++i) EXPECT_EQ(confirm(1).get().enforcement, Enforcement::confirmed);
}

TEST_F(Waiting, EndsWhenTheServiceStopsAndDoesNotBeginAfterwards) {
  report(41);
  auto answer = confirm(42);
  confirmations.stop();
  EXPECT_EQ(answer.get().enforcement, Enforcement::pending);
  EXPECT_EQ(confirm(42).get().enforcement, Enforcement::pending);
}

TEST_F(Waiting, IsCounted) {
  confirm(1).get();
  const auto text = metrics.render();
  EXPECT_NE(text.find("latchkey_confirmations_total{outcome=\"applied\"} 1"), std::string::npos) << text;
  EXPECT_NE(text.find("latchkey_confirmation_seconds_count 1"), std::string::npos) << text;
  EXPECT_NE(text.find("latchkey_replicas 0"), std::string::npos) << text;
}

}  // namespace
}  // namespace latchkey::replica
