#include "view/projector.hpp"

#include <gtest/gtest.h>

#include "view/testing/sample_rows.hpp"
#include "view/testing/scripted_feed.hpp"

namespace latchkey::view {
namespace {

using namespace std::chrono_literals;
using feed::FeedError;

class ProjectorTest : public ::testing::Test {
 protected:
  void append(int count = 1) {
    for (int i = 0; i < count; ++i) feed.append(key_of(random() % 40, 0));
  }
  bool caught_up() const { return view.freshness().complete && view.freshness().position == feed.head(); }
  void catch_up() {
    for (int i = 0; i < 10'000 && !caught_up(); ++i) projector.step(0ms);
    ASSERT_TRUE(caught_up());
  }
  void expect_view_is_model() {
    ASSERT_EQ(view.key_count(), feed.rows().size());
    const View::Reader reader(view);
    for (const auto& [id, key] : feed.rows()) {
      ASSERT_NE(reader.find(id), nullptr);
      ASSERT_EQ(reader.find(id)->version(), key.version);
    }
  }

  const std::uint64_t seed = std::random_device()();
  std::mt19937_64 random{seed};
  ManualClock clock;
  ScriptedFeed feed{seed + 1, clock};
  View view;
  std::vector<std::pair<std::size_t, bool>> at_catch_up;  // how many keys were there, and whether anybody was served
  Projector projector{feed, view, clock, {.on_caught_up = [this] {
                        at_catch_up.emplace_back(view.key_count(), view.freshness().complete);
                      }}};
  ::testing::ScopedTrace trace{__FILE__, __LINE__, "seed " + std::to_string(seed)};
};

TEST_F(ProjectorTest, IsCompleteOnlyOnceItHasCaughtUp) {
  append(50);
  projector.step(0ms);
  EXPECT_FALSE(view.freshness().complete) << "a load alone proves nothing";
  catch_up();
  expect_view_is_model();
}

TEST_F(ProjectorTest, TellsOnceALoadThatItHasCaughtUpWhenAllIsThereAndBeforeAnybodyIsServed) {
  feed.append(key_of(1, 0));
  projector.step(0ms);  // the load
  feed.append(key_of(2, 0));
  EXPECT_TRUE(at_catch_up.empty()) << "there may be more than was loaded";
  catch_up();
  feed.append(key_of(3, 0));
  catch_up();
  feed.refuse_next(FeedError::Kind::reload);
  projector.step(0ms);
  catch_up();
  EXPECT_EQ(at_catch_up, (std::vector<std::pair<std::size_t, bool>>{{2, false}, {3, false}}));
}

TEST_F(ProjectorTest, EqualsAModelWhateverTheFeedDoesWithinItsContract) {
  for (int turn = 0; turn < 3000; ++turn) {
    if (random() % 2 == 0) append(static_cast<int>(random() % 6));
    if (random() % 50 == 0) feed.begin_epoch();
    if (random() % 20 == 0)
      feed.refuse_next(random() % 2 == 0 ? FeedError::Kind::reload : FeedError::Kind::unavailable);
    projector.step(0ms);
    if (random() % 10 == 0) {
      catch_up();
      expect_view_is_model();
    }
  }
  EXPECT_GT(projector.stats().reloads, 10U);
  EXPECT_EQ(projector.stats().broken_batches, 0U);
}

TEST_F(ProjectorTest, NoticesEveryBreachOfTheContractAndAppliesNoneOfIt) {
  catch_up();
  for (const Fault fault :
       {Fault::drop, Fault::repeat, Fault::swap, Fault::go_back, Fault::other_epoch, Fault::wrong_head}) {
    const auto before = projector.stats().broken_batches;
    feed.spoil_next(fault);
    while (!feed.spoiled()) {
      append(20);
      projector.step(0ms);
    }
    EXPECT_EQ(projector.stats().broken_batches, before + 1) << static_cast<int>(fault);
    EXPECT_FALSE(view.freshness().complete);
    EXPECT_EQ(view.key_count(), 0U) << "distrusted at once";
    catch_up();
    expect_view_is_model();
  }
}

TEST_F(ProjectorTest, UnavailableKeepsTheViewAndLetsItAge) {
  append(5);
  catch_up();
  const auto as_of = view.freshness().current_as_of;
  auto longest = 0ms;
  for (int i = 0; i < 20; ++i) {
    clock.advance(1s);
    feed.refuse_next(FeedError::Kind::unavailable);
    longest = std::max(longest, projector.step(0ms));
  }
  EXPECT_TRUE(view.freshness().complete);
  EXPECT_EQ(view.freshness().current_as_of, as_of);
  EXPECT_EQ(longest, ProjectorConfig{}.longest_pause);
  EXPECT_EQ(projector.stats().unavailable, 20U);
  EXPECT_EQ(projector.step(0ms), 0ms);
  EXPECT_EQ(view.freshness().current_as_of, clock.boot());
}

// A replica that is started before the management service: said once, and no fault.
TEST_F(ProjectorTest, WaitsQuietlyForAStoreThatIsNotMadeYet) {
  const auto told_by = [&](int times) {
    testing::internal::CaptureStderr();
    for (int i = 0; i < times; ++i) {
      feed.refuse_next(FeedError::Kind::not_made);
      projector.step(0ms);
    }
    return testing::internal::GetCapturedStderr();
  };
  const std::string first = told_by(20);
  EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 1) << first;
  EXPECT_EQ(first.find(" warning "), std::string::npos) << first;
  EXPECT_EQ(projector.stats().last_error, "as scripted");
  append(5);
  catch_up();
  EXPECT_NE(told_by(20).find(" warning "), std::string::npos) << "what was there is gone";
}

TEST_F(ProjectorTest, AStoreThatIsAwayWhileItIsWaitedForIsAFault) {
  feed.refuse_next(FeedError::Kind::not_made);
  projector.step(0ms);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 20; ++i) {
    feed.refuse_next(FeedError::Kind::unavailable);
    projector.step(0ms);
  }
  EXPECT_NE(testing::internal::GetCapturedStderr().find(" warning "), std::string::npos);
}

// While the store is being made a read may fail in passing: its epoch changes under the first load, for one.
TEST_F(ProjectorTest, WhatFailsOnceAfterALongWaitIsNoFaultYet) {
  testing::internal::CaptureStderr();
  for (int i = 0; i < 20; ++i) {
    feed.refuse_next(FeedError::Kind::not_made);
    projector.step(0ms);
  }
  for (int i = 0; i < 3; ++i) {
    feed.refuse_next(FeedError::Kind::unavailable);
    projector.step(0ms);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr().find(" warning "), std::string::npos);
}

TEST_F(ProjectorTest, ReloadsThatFollowEachOtherPause) {
  append(5);
  catch_up();
  feed.refuse_next(FeedError::Kind::reload);
  EXPECT_EQ(projector.step(0ms), 0ms);
  projector.step(0ms);
  feed.refuse_next(FeedError::Kind::reload);
  EXPECT_GT(projector.step(0ms), 0ms);
}

class ProjectorWaiting : public ProjectorTest {
 protected:
  ProjectorWaiting() { append(5), catch_up(); }
  Projector::Waiting wait_for(Position position, Duration patience = 1s, const WaitingFor& caller = {}) {
    return projector.notify_when(position, clock.boot() + patience, caller,
                                 [this](Awaited outcome) { outcomes.push_back(outcome); });
  }
  Position ahead(std::uint64_t by) const { return {feed.head().epoch, feed.head().seq + by}; }
  std::vector<Awaited> outcomes;
};

TEST_F(ProjectorWaiting, IsToldAtOnceWhatIsReached) {
  EXPECT_EQ(wait_for(ahead(0)), Projector::Waiting::accepted);
  EXPECT_EQ(outcomes, std::vector{Awaited::reached});
}

TEST_F(ProjectorWaiting, IsToldOnceWhenThePositionComes) {
  ASSERT_EQ(wait_for(ahead(1)), Projector::Waiting::accepted);
  projector.step(0ms);
  EXPECT_TRUE(outcomes.empty());
  append();
  catch_up();
  projector.step(0ms);
  EXPECT_EQ(outcomes, std::vector{Awaited::reached});
}

TEST_F(ProjectorWaiting, IsToldWhenTheDeadlineHasPassed) {
  ASSERT_EQ(wait_for(ahead(1)), Projector::Waiting::accepted);
  clock.advance(1s);
  projector.step(0ms);
  EXPECT_EQ(outcomes, std::vector{Awaited::timed_out});
}

TEST_F(ProjectorWaiting, APositionOfAnotherEpochIsRefusedNeverGreater) {
  EXPECT_EQ(wait_for({{feed.head().epoch.value + 1}, 0}), Projector::Waiting::other_epoch);
  EXPECT_EQ(wait_for({{0}, 1}), Projector::Waiting::other_epoch);
  ASSERT_EQ(wait_for(ahead(1)), Projector::Waiting::accepted);
  feed.begin_epoch();
  append(10);
  catch_up();
  EXPECT_EQ(outcomes, std::vector{Awaited::other_epoch});
}

TEST_F(ProjectorWaiting, IsBounded) {
  const auto key = [](std::size_t n) { return key_of(n, 0).id; };
  const auto most = ProjectorConfig{}.max_waiting;
  std::size_t waiting = 0;
  for (; waiting < most / 4; ++waiting) ASSERT_EQ(wait_for(ahead(1)), Projector::Waiting::accepted);
  EXPECT_EQ(wait_for(ahead(1)), Projector::Waiting::too_many) << "the unproved share a quarter";
  for (; waiting < most; ++waiting) {
    ASSERT_EQ(wait_for(ahead(1), 1s, key(waiting / PositionWaiters::max_of_one_key)), Projector::Waiting::accepted);
    if (waiting == most / 4 + PositionWaiters::max_of_one_key - 1) {
      EXPECT_EQ(wait_for(ahead(1), 1s, key(most / 4 / PositionWaiters::max_of_one_key)), Projector::Waiting::too_many);
    }
  }
  EXPECT_EQ(wait_for(ahead(1), 1s, key(most)), Projector::Waiting::too_many) << "all places are taken";
  append(1);
  projector.step(0ms);
  EXPECT_EQ(outcomes, std::vector(most, Awaited::reached));
  EXPECT_EQ(wait_for(ahead(1)), Projector::Waiting::accepted) << "there is room again";
  projector.stop();
}

TEST(ProjectorThread, FollowsUntilStopped) {
  const SystemClock clock;
  ScriptedFeed feed(1, clock);
  for (std::uint64_t n = 0; n < 100; ++n) feed.append(key_of(n, 0));
  View view;
  Projector projector(feed, view, clock);
  projector.start();
  while (!view.freshness().complete || view.freshness().position != feed.head()) std::this_thread::sleep_for(1ms);
  projector.stop();
  EXPECT_EQ(view.key_count(), 100U);
}

}  // namespace
}  // namespace latchkey::view
