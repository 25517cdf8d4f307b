#include "access/bound.hpp"

#include <gtest/gtest.h>

#include "view/testing/sample_rows.hpp"
#include "view/view.hpp"

namespace latchkey::access {
namespace {

using view::id_of;
using view::key_of;

class BoundOf : public testing::Test {
 protected:
  BoundOf() {
    key_.requests_per_minute.reset();
    user_.user_id = key_.user_id;
    user_.version = {20};
    plan_.name = "pro";
    plan_.limits = {per_minute_limit(60)};
    plan_.version = {30};
  }
  Bounds bounds() {
    view_.reset();
    view_.apply(key_);
    if (has_user_) view_.apply(user_);
    if (has_plan_) view_.apply(plan_);
    const view::View::Reader reader(view_);
    const auto* row = reader.find(id_of(1));
    return bounds_of(*row, reader.terms_of(*row));
  }
  void expect(Bound bound, std::uint32_t requests_per_minute, std::uint64_t version) {
    const Bounds found = bounds();
    EXPECT_EQ(found.bound, bound);
    EXPECT_EQ(found.requests_per_minute, requests_per_minute);
    EXPECT_EQ(found.version, Version{version});
  }

  view::View view_;
  AccessKey key_ = key_of(1, 10);
  User user_;
  Plan plan_;
  bool has_user_ = false, has_plan_ = false;
};

TEST_F(BoundOf, TheKeysOwnComesBeforeTheUsersAndTheUsersBeforeThePlans) {
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

TEST_F(BoundOf, APlanOfTheUserHoldsForKeysThatNameNone) {
  has_user_ = has_plan_ = true;
  user_.plan = "pro";
  expect(Bound::per_minute, 60, 30);
  user_.deleted = true;
  expect(Bound::none, 0, 20);
}

TEST_F(BoundOf, UnlimitedIsSaidByTheKeyItselfAndHoldsWhereNothingElseDoes) {
  key_.limits = LimitList{};
  expect(Bound::unlimited, 0, 10);
  has_plan_ = true;
  key_.plan = "pro";
  expect(Bound::per_minute, 60, 30);
  plan_.limits.clear();
  expect(Bound::unlimited, 0, 30);
}

TEST_F(BoundOf, APlanThatIsNotThereLetsNobodyIn) {
  key_.plan = "pro";
  key_.requests_per_minute = 5;
  expect(Bound::none, 5, 10);
  has_plan_ = true;
  plan_.deleted = true;
  expect(Bound::none, 5, 30);
  has_plan_ = false;
  key_.plan.reset();
  expect(Bound::per_minute, 5, 10);
}

TEST_F(BoundOf, WhatNoEngineEnforcesLetsNobodyInWhereverItStands) {
  const LimitSpec hourly{"hourly", 5, LimitWindow{3600}, LimitPer::key, LimitMode::enforce};
  key_.requests_per_minute = 5;
  key_.limits = LimitList{hourly};
  expect(Bound::unsupported, 5, 10);
  key_.limits.reset();
  has_user_ = true;
  user_.limits = {hourly};
  expect(Bound::unsupported, 5, 20);
  user_.limits.clear();
  key_.plan = "pro";
  has_plan_ = true;
  plan_.limits = {hourly};
  expect(Bound::unsupported, 5, 30);
  user_.limits = {per_minute_limit(9)};
  plan_.limits = {{"per-minute", 5, LimitWindow{3600}, LimitPer::user, LimitMode::enforce}};
  expect(Bound::per_minute, 5, 30);
}

}  // namespace
}  // namespace latchkey::access
