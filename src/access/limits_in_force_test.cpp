#include "access/limits_in_force.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "view/testing/sample_rows.hpp"
#include "view/view.hpp"

namespace latchkey::access {
namespace {

using view::id_of;
using view::key_of;

LimitSpec window(std::string name, std::uint32_t requests, std::uint32_t seconds, LimitPer per = LimitPer::key,
                 LimitMode mode = LimitMode::enforce) {
  return {std::move(name), requests, LimitWindow{seconds}, per, mode};
}

LimitSpec daily(std::uint32_t requests, std::string zone = "UTC", LimitPer per = LimitPer::key) {
  return {"daily", requests, LimitPeriod{PeriodUnit::day, std::move(zone), 1}, per, LimitMode::enforce};
}

class LimitsInForceTest : public testing::Test {
 protected:
  LimitsInForceTest() {
    key_.requests_per_minute.reset();
    user_.user_id = key_.user_id;
    user_.version = {20};
    plan_.name = "pro";
    plan_.limits = {per_minute_limit(60)};
    plan_.version = {30};
  }
  Bounds bounds() {
    limits_ = LimitsInForce();
    view_.reset();
    view_.apply(key_);
    if (has_user_) view_.apply(user_);
    if (has_plan_) view_.apply(plan_);
    const view::View::Reader reader(view_);
    const auto* row = reader.find(id_of(1));
    shown_ = limits_to_show(*row, reader.terms_of(*row));
    return bounds_of(*row, reader.terms_of(*row), limits_);
  }
  void expect(Bound bound, std::uint32_t requests_per_minute, std::uint64_t version) {
    const Bounds found = bounds();
    EXPECT_EQ(found.bound, bound);
    EXPECT_EQ(found.requests_per_minute, requests_per_minute);
    EXPECT_EQ(found.version, Version{version});
  }

  /// "name requests version", in the limiter's order; the same must be shown.
  std::vector<std::string> listed() {
    EXPECT_EQ(bounds().bound, Bound::listed);
    std::vector<std::string> names;
    EXPECT_EQ(shown_.size(), limits_.size());
    for (std::size_t i = 0; i < limits_.size(); ++i) {
      EXPECT_EQ(shown_[i].spec.name, limits_.name(i));
      names.push_back(fmt::format("{} {} {}", limits_.name(i), limits_[i].requests, limits_[i].version.value));
    }
    return names;
  }
  using Lines = std::vector<std::string>;

  LimitsInForce limits_;
  std::vector<ShownLimit> shown_;
  view::View view_;
  AccessKey key_ = key_of(1, 10);
  User user_;
  Plan plan_;
  bool has_user_ = false, has_plan_ = false;
};

TEST_F(LimitsInForceTest, TheKeysOwnComesBeforeTheUsersAndTheUsersBeforeThePlans) {
  expect(Bound::none, 0, 10);
  key_.plan = "pro";
  has_plan_ = true;
  expect(Bound::per_minute, 60, 30);
  has_user_ = true;
  user_.limits = {per_minute_limit(7)};
  expect(Bound::per_minute, 7, 30);
  key_.requests_per_minute = 5;
  expect(Bound::per_minute, 5, 30);
}

TEST_F(LimitsInForceTest, APlanOfTheUserHoldsForKeysThatNameNone) {
  has_user_ = has_plan_ = true;
  user_.plan = "pro";
  expect(Bound::per_minute, 60, 30);
  user_.deleted = true;
  expect(Bound::none, 0, 20);
}

TEST_F(LimitsInForceTest, UnlimitedIsSaidByTheKeyItselfWhateverItsPlanAndUserHave) {
  key_.limits = LimitList{};
  expect(Bound::unlimited, 0, 10);
  has_plan_ = has_user_ = true;
  key_.plan = "pro";
  user_.limits = {daily(5)};
  expect(Bound::unlimited, 0, 30);
  EXPECT_TRUE(shown_.empty());
}

TEST_F(LimitsInForceTest, APlanThatIsNotThereLetsNobodyIn) {
  key_.plan = "pro";
  key_.requests_per_minute = 5;
  expect(Bound::none, 0, 10);
  has_plan_ = true;
  plan_.deleted = true;
  expect(Bound::none, 0, 30);
  has_plan_ = false;
  key_.plan.reset();
  expect(Bound::per_minute, 5, 10);
}

TEST_F(LimitsInForceTest, EachLayerReplacesWhatHasItsNameAndWindowsComeFirst) {
  has_user_ = has_plan_ = true;
  key_.plan = "pro";
  plan_.limits = {daily(5'000), per_minute_limit(60), window("per-second", 10, 1)};
  EXPECT_EQ(listed(), (Lines{"per-minute 60 30", "per-second 10 30", "daily 5000 30"}));
  user_.limits = {daily(20'000), window("hourly", 7, 3600)};
  EXPECT_EQ(listed(), (Lines{"per-minute 60 30", "per-second 10 30", "hourly 7 30", "daily 20000 30"}));
  key_.requests_per_minute = 5;
  key_.limits = LimitList{window("hourly", 9, 3600)};
  key_.version = {40};
  EXPECT_EQ(listed(), (Lines{"per-second 10 40", "hourly 9 40", "per-minute 5 40", "daily 20000 40"}));
}

TEST_F(LimitsInForceTest, ALimitPerUserIsAsNewAsItsRow) {
  has_user_ = has_plan_ = true;
  key_.plan = "pro";
  key_.version = {40};
  plan_.limits = {window("a", 1, 60, LimitPer::user)};
  user_.limits = {window("b", 2, 60, LimitPer::user), window("c", 3, 60)};
  EXPECT_EQ(listed(), (Lines{"a 1 30", "b 2 20", "c 3 40"}));
  EXPECT_EQ(limits_.charge(key_.id, 1, {}).user, limit::owner_of_user(key_.user_id));
  EXPECT_NE(limits_[0].counter, limits_[1].counter);
  user_.deleted = true;
  EXPECT_EQ(listed(), (Lines{"a 1 30"}));
  EXPECT_EQ(limits_.charge(key_.id, 1, {}).user, limit::owner_of_user(key_.user_id));
}

TEST_F(LimitsInForceTest, EachUserHasCountsOfItsOwn) {
  has_plan_ = true;
  key_.plan = "pro";
  plan_.limits = {window("a", 1, 60, LimitPer::user)};
  for (int round = 0; round < 2; ++round) {
    for (int n = 0; n < 100; ++n) {
      key_.user_id = "user-" + std::to_string(n);
      expect(Bound::listed, 0, 30);
      ASSERT_EQ(limits_.charge(key_.id, 1, {}).user, limit::owner_of_user(key_.user_id)) << n;
    }
  }
}

TEST_F(LimitsInForceTest, ALimitOfAKeyCountsThatKeyWhateverAHandEditSays) {
  key_.limits = LimitList{window("a", 1, 10, LimitPer::user)};
  EXPECT_EQ(listed(), (Lines{"a 1 10"}));
  EXPECT_FALSE(limits_[0].per_user);
}

TEST_F(LimitsInForceTest, ATimeZoneThatIsUnknownLetsNobodyInUnlessItOnlyObserves) {
  has_plan_ = true;
  key_.plan = "pro";
  plan_.limits = {daily(5, "Middle/Earth"), per_minute_limit(60)};
  expect(Bound::unknown_zone, 0, 30);
  plan_.limits[0].mode = LimitMode::observe;
  expect(Bound::per_minute, 60, 30);
  plan_.limits = {daily(5, "Europe/Berlin"), per_minute_limit(60)};
  expect(Bound::listed, 0, 30);
}

TEST_F(LimitsInForceTest, MoreThanTheMostLetNobodyIn) {
  key_.limits = LimitList{};
  for (std::uint32_t i = 1; i <= max_limits; ++i) key_.limits->push_back(window("w" + std::to_string(i), 1, i));
  expect(Bound::listed, 0, 10);
  has_user_ = true;
  user_.limits = {daily(5)};
  expect(Bound::too_many, 0, 20);
}

TEST_F(LimitsInForceTest, OneThatIsNotThePlainOneIsListed) {
  for (const auto& limit :
       {window("per-minute", 5, 3600), window("per-minute", 5, 60, LimitPer::key, LimitMode::observe),
        window("other", 5, 60), window("per-minute", 1'000'001, 60)}) {
    key_.limits = LimitList{limit};
    expect(Bound::listed, 0, 10);
  }
  has_plan_ = true;
  key_.plan = "pro";
  key_.limits.reset();
  plan_.limits = {window("per-minute", 5, 60, LimitPer::user)};
  expect(Bound::listed, 0, 30);
}

}  // namespace
}  // namespace latchkey::access
