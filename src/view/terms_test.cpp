#include "view/terms.hpp"

#include <gtest/gtest.h>

#include <map>

#include "view/testing/sample_rows.hpp"
#include "view/view.hpp"

namespace latchkey::view {
namespace {

User user_of(const std::string& id, std::uint64_t version, bool disabled = false) {
  User user;
  user.user_id = id;
  user.disabled = disabled;
  user.version = {version};
  return user;
}

Plan plan_of(const std::string& name, std::uint64_t version, std::uint32_t requests) {
  Plan plan;
  plan.name = name;
  plan.limits = {per_minute_limit(requests)};
  plan.version = {version};
  return plan;
}

AccessKey key_with_plan(std::uint64_t n, std::uint64_t version, std::optional<std::string> plan) {
  AccessKey key = key_of(n, version);
  key.requests_per_minute.reset();
  key.plan = std::move(plan);
  return key;
}

struct Copy final : feed::SnapshotSink {
  void access_key(const AccessKey& key) override { keys.emplace(key.id, key); }
  void signing_key(const SigningKey&, Version) override {}
  void plan(const Plan& plan) override { plans.emplace(plan.name, plan); }
  void user(const User& user) override { users.emplace(user.user_id, user); }
  std::map<KeyId, AccessKey> keys;
  std::map<std::string, Plan> plans;
  std::map<std::string, User> users;
};

class Terms : public testing::Test {
 protected:
  TermsInForce terms_of(std::uint64_t n) const {
    const View::Reader reader(view_);
    return reader.terms_of(*reader.find(id_of(n)));
  }
  bool may_have_terms(std::uint64_t n) const {
    const View::Reader reader(view_);
    return reader.may_have_terms(*reader.find(id_of(n)));
  }
  View view_;
};

TEST_F(Terms, APlainKeyHasNoneAndItsRowIsAsLongAsBefore) {
  view_.apply(key_of(1, 1));
  EXPECT_FALSE(may_have_terms(1));
  EXPECT_EQ(KeyRow::bytes_needed(key_of(1, 1), {}), 96U + 6U);
}

TEST_F(Terms, AUserIsFoundByAllKeysOfThatIdWithoutTouchingThem) {
  view_.apply(key_of(1, 1));
  view_.apply(user_of("user-1", 2, true));
  EXPECT_TRUE(may_have_terms(1));
  EXPECT_TRUE(terms_of(1).user->disabled);
  view_.apply(key_of(2, 3));
  EXPECT_FALSE(may_have_terms(2));
  view_.apply(user_of("user-1", 4));
  EXPECT_FALSE(terms_of(1).user->disabled);
  view_.apply(user_of("user-1", 3, true));
  EXPECT_FALSE(terms_of(1).user->disabled) << "an older row changes nothing";
}

TEST_F(Terms, ThePlanIsTheKeysElseTheUsers) {
  view_.apply(plan_of("pro", 1, 60));
  view_.apply(plan_of("free", 2, 5));
  User user = user_of("user-1", 3);
  user.plan = "free";
  view_.apply(user);
  view_.apply(key_with_plan(1, 4, "pro"));
  EXPECT_EQ(terms_of(1).plan->name, "pro");
  view_.apply(key_with_plan(1, 5, std::nullopt));
  EXPECT_EQ(terms_of(1).plan->name, "free");
  view_.apply(plan_of("free", 6, 7));
  EXPECT_EQ(terms_of(1).plan->limits.at(0).requests, 7U);
  view_.apply(key_with_plan(1, 7, "gone"));
  EXPECT_EQ(terms_of(1).plan, nullptr);
  user.version = {8};
  user.deleted = true;
  view_.apply(user);
  view_.apply(key_with_plan(1, 9, std::nullopt));
  EXPECT_EQ(terms_of(1).plan, nullptr);
  EXPECT_EQ(terms_of(1).user->version, Version{8}) << "its version still counts";
}

TEST_F(Terms, EqualTermsAreHeldOnce) {
  TermsBook book;
  AccessKey key = key_with_plan(1, 1, "pro");
  const KeyTerms* first = book.of(key);
  key.id = id_of(2);
  EXPECT_EQ(book.of(key), first);
  key.limits = LimitList{};
  EXPECT_NE(book.of(key), first);
  EXPECT_EQ(book.size(), 2U);
  EXPECT_EQ(book.of(key_of(3, 1)), nullptr);
}

TEST_F(Terms, TheDigestIsOfThemToo) {
  const auto digest = [&] {
    view_.advance({{1}, {9}}, BootTime{1});
    return *view_.digest_at({{1}, {9}});
  };
  AccessKey key = key_with_plan(1, 1, "pro");
  key.limits = LimitList{per_minute_limit(5)};
  const Plan plan = plan_of("pro", 2, 60);
  User user = user_of("user-1", 3, true);
  user.plan = "pro";
  view_.apply(key), view_.apply(plan), view_.apply(user);
  EXPECT_EQ(digest(), feed::digest_of(key, {1}) + feed::digest_of(plan, {2}) + feed::digest_of(user, {3}));
  std::optional<bool> same;
  while (!same) same = view_.recount();
  EXPECT_TRUE(*same);
}

TEST_F(Terms, ACopyOfTheViewHasThem) {
  AccessKey key = key_with_plan(1, 1, "pro");
  key.limits = LimitList{};
  view_.apply(key);
  view_.apply(plan_of("pro", 2, 60));
  view_.apply(user_of("user-1", 3, true));
  Copy copy;
  for (std::size_t slice = 0; slice < View::slices(); ++slice) view_.visit(slice, copy);
  EXPECT_EQ(copy.keys.at(id_of(1)).plan, "pro");
  EXPECT_EQ(copy.keys.at(id_of(1)).limits, LimitList{});
  EXPECT_EQ(copy.keys.at(id_of(1)).requests_per_minute, std::nullopt);
  EXPECT_EQ(copy.plans.at("pro"), plan_of("pro", 2, 60));
  EXPECT_TRUE(copy.users.at("user-1").disabled);
}

TEST_F(Terms, ManyUsersAreAllFound) {
  for (std::uint64_t n = 1; n <= 2'000; ++n) view_.apply(user_of("user-" + std::to_string(n), n, n % 2 == 0));
  for (std::uint64_t n = 1; n <= 2'000; n += 97) {
    view_.apply(key_of(n, 5'000 + n));
    ASSERT_NE(terms_of(n).user, nullptr) << n;
    EXPECT_EQ(terms_of(n).user->disabled, n % 2 == 0) << n;
  }
}

}  // namespace
}  // namespace latchkey::view
