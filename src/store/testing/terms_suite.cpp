// The contract of KeyStore for plans, users and keys that refer to them.

#include "store/testing/terms_suite.hpp"

namespace latchkey::store {
namespace {

TEST_P(TermsSuite, APlanIsARowAndAChange) {
  const Plan plan = put_plan(new_plan("pro", {per_minute_limit(60), monthly()}));
  EXPECT_EQ(plan.version, Version{1});
  EXPECT_EQ(*store_->find_plan("pro"), plan);
  EXPECT_EQ(*store_->find_plan("none"), std::nullopt);
  Plan next = plan;
  next.limits.pop_back();
  next.updated_at = next.updated_at + std::chrono::milliseconds(5);
  next.updated_by = "eve";
  next = put_plan(next, "plan-update");
  const auto changes = store_->changes_after({0}, 10);
  ASSERT_TRUE(changes) << changes.error().internal;
  ASSERT_EQ(changes->size(), 2U);
  EXPECT_EQ((*changes)[0], (Change{{1}, plan.updated_at, "ops", "plan-create", plan, (*changes)[0].nonce}));
  EXPECT_EQ((*changes)[1], (Change{{2}, next.updated_at, "eve", "plan-update", next, (*changes)[1].nonce}));
}

TEST_P(TermsSuite, AUserIsARowAndAChange) {
  User user = new_user("alice");
  user.plan = "pro";
  user.limits = {monthly()};
  user.metadata = R"({"n":1.0})";
  user = put_user(user);
  EXPECT_EQ(*store_->find_user("alice"), user);
  EXPECT_EQ(*store_->find_user("bob"), std::nullopt);
  User next = user;
  next.disabled = true;
  next.plan.reset();
  next.updated_at = next.updated_at + std::chrono::milliseconds(5);
  next = put_user(next, "user-disable");
  const Change change = store_->changes_after({1}, 10)->at(0);
  EXPECT_EQ(change, (Change{{2}, next.updated_at, "ops", "user-disable", next, change.nonce}));
}

TEST_P(TermsSuite, AKeyKeepsItsTerms) {
  AccessKey key = inheriting_key("alice", "pro");
  key.limits = LimitList{monthly()};
  key = put(key);
  EXPECT_EQ(*store_->find_key(key.id), key);
  EXPECT_EQ(std::get<AccessKey>(store_->changes_after({0}, 10)->at(0).row), key);
  EXPECT_EQ(store_->list_keys(page())->keys.at(0), key);
  key.limits = LimitList{};
  key.plan.reset();
  key = put(key, "update");
  EXPECT_EQ(*store_->find_key(key.id), key) << "no limits is not the same as nothing said";
}

TEST_P(TermsSuite, AKeyKeepsItsScopesNetworksAndLabels) {
  AccessKey key = new_key("alice");
  key.scopes = ScopeList{"orders:read", "reports:*"};
  key.networks = NetworkList{*IpNetwork::parse("10.0.0.0/8"), *IpNetwork::parse("2001:db8::/32")};
  key.labels = {{"team", "billing"}, {"env", ""}};
  key = put(key);
  EXPECT_EQ(*store_->find_key(key.id), key);
  EXPECT_EQ(std::get<AccessKey>(store_->changes_after({0}, 10)->at(0).row), key);
  key.scopes = ScopeList{};
  key.networks = NetworkList{};
  key.labels.clear();
  key = put(key, "update");
  EXPECT_EQ(*store_->find_key(key.id), key) << "an empty list is not the same as nothing said";
  key.scopes.reset();
  key.networks.reset();
  key = put(key, "update");
  EXPECT_EQ(*store_->find_key(key.id), key);
  EXPECT_EQ(std::get<AccessKey>(store_->changes_after({2}, 10)->at(0).row), key);
}

TEST_P(TermsSuite, KeysAreListedByTheirLabels) {
  const std::vector<Labels> labels = {{{"team", "billing"}, {"env", "prod"}},
                                      {{"team", "billing"}, {"env", "dev"}},
                                      {{"team", "search"}},
                                      {},
                                      {{"team", ""}, {"app.example/x", "a:b@c"}}};
  std::vector<KeyId> ids;
  for (const auto& each : labels) {
    AccessKey key = new_key(ids.size() % 2 == 0 ? "alice" : "bob");
    key.labels = each;
    ids.push_back(put(key).id);
  }
  for (const std::string text :
       {"team=billing", "team=billing,env!=prod", "env!=prod", "team!=billing", "team", "!team", "!env", "team,!env",
        "team=", "app.example/x=a:b@c", "team=nobody", "other", "!other"}) {
    KeyPageRequest request = page();
    request.filter.selector = *parse_selector(text);
    std::vector<KeyId> expected;
    for (std::size_t i = labels.size(); i-- > 0;) {
      if (matches(request.filter.selector, labels[i])) expected.push_back(ids[i]);
    }
    EXPECT_EQ(ids_of(request), expected) << text;
    request.filter.user_id = "alice";
    std::erase_if(expected, [&](const KeyId& id) { return id == ids[1] || id == ids[3]; });
    EXPECT_EQ(ids_of(request), expected) << text << " of alice";
    request.filter.status = KeyStatus::active;
    EXPECT_EQ(ids_of(request), expected) << text << " of alice, active";
  }
}

TEST_P(TermsSuite, ManyKeysAreChangedByOneStatement) {
  std::vector<KeyId> ids;
  for (const char* user : {"alice", "alice", "bob", "alice", "alice"}) {
    AccessKey key = new_key(user);
    key.labels = {{"team", ids.size() == 1 ? "other" : "x"}};
    key.disabled = ids.size() == 3;
    key.deleted = ids.size() == 4;
    ids.push_back(put(key).id);
  }
  KeyPageRequest request = page({.selector = *parse_selector("team=x"), .without_deleted = true});
  request.order = KeyOrder::oldest_first;
  EXPECT_EQ(*store_->list_key_ids(request), (std::vector<KeyId>{ids[0], ids[2], ids[3]}));
  request.limit = 2;
  EXPECT_EQ(store_->list_key_ids(request)->size(), 2U);
  request.after = ids[2];
  EXPECT_EQ(*store_->list_key_ids(request), (std::vector<KeyId>{ids[3]}));

  const auto change = [&](KeyAction action, KeyFilter filter, std::span<const KeyId> named) {
    std::uint64_t changed = 0;
    in_transaction([&](Transaction& transaction) {
      changed = *transaction.change_keys({action, std::move(filter), now(), "eve"}, named);
    });
    return changed;
  };
  const AccessKey before = **store_->find_key(ids[0]);
  EXPECT_EQ(change(KeyAction::disable, {.user_id = "alice", .selector = *parse_selector("team=x")}, ids), 1U);
  const auto changes = store_->changes_after({5}, 10);
  ASSERT_EQ(changes->size(), 1U) << "one that is so already is not changed, nor one that the filter does not mean";
  const AccessKey after = **store_->find_key(ids[0]);
  EXPECT_EQ((*changes)[0], (Change{{6}, after.updated_at, "eve", "disable", after, (*changes)[0].nonce}));
  EXPECT_TRUE(after.disabled);
  EXPECT_GT(after.updated_at, before.updated_at) << "whatever the clock says";
  EXPECT_EQ(after.version, Version{6});
  EXPECT_EQ(change(KeyAction::disable, {.user_id = "alice", .selector = *parse_selector("team=x")}, ids), 0U);
  EXPECT_EQ(change(KeyAction::enable, {.selector = *parse_selector("team")}, std::span(ids).subspan(0, 3)), 1U);
  EXPECT_EQ(change(KeyAction::remove, {.selector = *parse_selector("team!=other")}, ids), 3U);
  EXPECT_EQ(store_->position()->seq, Seq{10});
  EXPECT_EQ(*store_->list_key_ids(page({.without_deleted = true})), (std::vector<KeyId>{ids[1]}));
  EXPECT_EQ(change(KeyAction::enable, {}, ids), 0U) << "a deleted key stays deleted";
}

TEST_P(TermsSuite, AFailureTakesBackWhatWasDoneToManyKeys) {
  std::vector<KeyId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(put(new_key("alice")).id);
  const auto failed = store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
    EXPECT_EQ(*transaction.change_keys({KeyAction::disable, {.user_id = "alice"}, now(), "eve"}, ids), 3U);
    EXPECT_TRUE((*transaction.find_key(ids[1]))->disabled);
    return Error(ErrorCode::conflict, "changed my mind");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(store_->position()->seq, Seq{3});
  EXPECT_FALSE((*store_->find_key(ids[1]))->disabled);
}

TEST_P(TermsSuite, APlanKeepsItsScopesAndNetworks) {
  Plan plan = new_plan("pro");
  plan.scopes = ScopeList{"a", "b"};
  plan.networks = NetworkList{};
  plan = put_plan(plan);
  EXPECT_EQ(*store_->find_plan("pro"), plan);
  EXPECT_EQ(std::get<Plan>(store_->changes_after({0}, 10)->at(0).row), plan);
  EXPECT_EQ(store_->list_plans({"", 2})->plans.at(0), plan);
  plan.scopes.reset();
  plan.networks = NetworkList{*IpNetwork::parse("::ffff:10.0.0.0/104")};
  plan = put_plan(plan, "plan-update");
  EXPECT_EQ(*store_->find_plan("pro"), plan);
}

TEST_P(TermsSuite, PlansAndUsersAreListedByNameWithoutTheDeleted) {
  for (const char* name : {"c", "a", "b", "d"}) {
    put_plan(new_plan(name));
    put_user(new_user(name));
  }
  Plan gone = new_plan("b");
  gone.deleted = true;
  put_plan(gone, "plan-delete");
  EXPECT_TRUE((*store_->find_plan("b"))->deleted) << "its versions go on";
  const auto first = store_->list_plans({"", 2});
  ASSERT_EQ(first->plans.size(), 2U);
  EXPECT_TRUE(first->more);
  EXPECT_EQ(first->plans[1].name, "c");
  const auto rest = store_->list_plans({"c", 2});
  ASSERT_EQ(rest->plans.size(), 1U);
  EXPECT_FALSE(rest->more);
  EXPECT_EQ(store_->list_users({"", 4})->users.size(), 4U);
  EXPECT_FALSE(store_->list_users({"", 4})->more);
  EXPECT_EQ(store_->list_users({"c", 500})->users.at(0).user_id, "d");
}

TEST_P(TermsSuite, WhoUsesAPlanIsCounted) {
  put_plan(new_plan("pro"));
  EXPECT_EQ(store_->plan_uses("pro")->keys, 0U);
  User user = new_user("alice");
  user.plan = "pro";
  put_user(user);
  EXPECT_TRUE(store_->plan_uses("pro")->named_by_user);
  put(inheriting_key("alice"));
  put(inheriting_key("alice", "other"));
  put(inheriting_key("bob", "pro"));
  AccessKey deleted = inheriting_key("bob", "pro");
  deleted.deleted = true;
  put(deleted);
  const auto uses = store_->plan_uses("pro");
  EXPECT_EQ(uses->keys, 2U);
  EXPECT_TRUE(uses->named_by_key);
  EXPECT_FALSE(store_->plan_uses("other")->named_by_user);
  in_transaction([](Transaction& transaction) {
    EXPECT_TRUE(*transaction.has_keys("alice"));
    EXPECT_FALSE(*transaction.has_keys("carol"));
    EXPECT_EQ(transaction.plan_uses("pro")->keys, 2U);
  });
}

TEST_P(TermsSuite, KeysWithoutALimitAreFound) {
  put_plan(new_plan("pro"));
  put_plan(new_plan("empty", {}));
  User user = new_user("alice");
  user.plan = "empty";
  put_user(user);
  const AccessKey bare = put(inheriting_key("alice"));
  const AccessKey also = put(inheriting_key("bob", "empty"));
  put(inheriting_key("alice", "pro"));
  put(new_key("alice"));
  AccessKey unlimited = inheriting_key("alice");
  unlimited.limits = LimitList{};
  put(unlimited);
  AccessKey deleted = inheriting_key("alice");
  deleted.deleted = true;
  put(deleted);
  EXPECT_EQ(without_limit({{}, "alice"}), std::vector<KeyId>{bare.id});
  EXPECT_EQ(without_limit({"empty", {}}), (std::vector<KeyId>{bare.id, also.id}));
  EXPECT_EQ(without_limit({"empty", {}}, 1), (std::vector<KeyId>{bare.id}));
  EXPECT_TRUE(without_limit({"pro", {}}).empty());
  user.limits = {per_minute_limit(5)};
  put_user(user, "user-update");
  EXPECT_EQ(without_limit({"empty", {}}), std::vector<KeyId>{also.id});
  user.deleted = true;
  put_user(user, "user-delete");
  EXPECT_EQ(without_limit({{}, "alice"}), std::vector<KeyId>{bare.id}) << "a deleted user counts for nothing";
}

/// Limits of these names.
LimitList limits_named(std::initializer_list<const char*> names) {
  LimitList limits;
  for (const char* name : names) {
    limits.push_back(per_minute_limit(5));
    limits.back().name = name;
  }
  return limits;
}

TEST_P(TermsSuite, KeysWithMoreLimitsThanAKeyMayHaveAreFound) {
  Plan plan = new_plan("pro");
  plan.limits = limits_named({"a", "b", "c", "d", "e", "f"});
  put_plan(plan);
  User user = new_user("alice");
  user.plan = "pro";
  user.limits = limits_named({"a", "g", "h"});
  put_user(user);
  const AccessKey eight = put(inheriting_key("alice"));
  const AccessKey nine = put(new_key("alice"));  // per-minute of its own
  AccessKey listed = inheriting_key("alice");
  listed.limits = limits_named({"b", "i", "j"});
  put(listed);
  AccessKey unlimited = inheriting_key("alice");
  unlimited.limits = LimitList{};
  put(unlimited);
  AccessKey deleted = new_key("alice");
  deleted.deleted = true;
  put(deleted);
  put(new_key("bob"));
  EXPECT_EQ(past_limits({{}, "alice"}), (std::vector<KeyId>{nine.id, listed.id}));
  EXPECT_EQ(past_limits({"pro", {}}), (std::vector<KeyId>{nine.id, listed.id}));
  EXPECT_EQ(past_limits({"pro", {}}, 1), std::vector<KeyId>{nine.id});
  EXPECT_TRUE(past_limits({{}, "bob"}).empty());
  user.deleted = true;
  put_user(user, "user-delete");
  EXPECT_TRUE(past_limits({{}, "alice"}).empty()) << "a deleted user counts for nothing";
  EXPECT_NE(eight.id, nine.id);
}

TEST_P(TermsSuite, KeysThatWereDeletedLongAgoArePurged) {
  const AccessKey alive = put(new_key("alice"));
  AccessKey old = put(new_key("alice")), older = put(new_key("bob"));
  clock_.advance(std::chrono::seconds(1));
  for (AccessKey* key : {&old, &older}) {
    key->deleted = true;
    key->updated_at = now();
    put(*key, "delete");
  }
  clock_.advance(std::chrono::hours(1));
  AccessKey young = put(new_key("alice"));
  young.deleted = true;
  young.updated_at = now();
  put(young, "delete");
  const UnixMillis before = now();
  const Seq end = store_->position()->seq;
  in_transaction([&](Transaction& transaction) {
    EXPECT_EQ(*transaction.purgeable_keys(before), 2U);
    EXPECT_EQ(*transaction.purge_keys({before, now(), "ops", 1}), 1U);
    EXPECT_EQ(*transaction.purge_keys({before, now(), "ops", 10}), 1U);
    EXPECT_EQ(*transaction.purge_keys({before, now(), "ops", 10}), 0U);
  });
  EXPECT_EQ(*store_->find_key(old.id), std::nullopt);
  EXPECT_EQ(*store_->find_key(older.id), std::nullopt);
  EXPECT_TRUE(*store_->find_key(young.id));
  EXPECT_TRUE(*store_->find_key(alive.id));
  const auto changes = *store_->changes_after(end, 10);
  ASSERT_EQ(changes.size(), 2U) << "one a key";
  for (const Change& change : changes) {
    EXPECT_EQ(change.action, "purge");
    EXPECT_EQ(change.actor, "ops");
    EXPECT_TRUE(std::get<AccessKey>(change.row).deleted);
  }
  EXPECT_EQ(store_->changes_after(Seq{0}, 100)->size(), end.value + 2) << "the log keeps all";
}

TEST_P(TermsSuite, AnErasedUserIsNamedNowhere) {
  AccessKey key = new_key("alice");
  key.name = "alice's laptop";
  key.metadata = R"({"mail":"alice@x"})";
  key.labels = {{"person", "alice"}};
  put(key);
  put(new_key("bob"));
  User user = new_user("alice");
  user.disabled = true;
  user.metadata = R"({"phone":"1"})";
  put_user(user);
  AccessKey by_alice = new_key("carol");
  by_alice.updated_by = "alice";
  put(by_alice);
  const Erasure erasure{"alice", "erased-1", now(), "ops"};
  in_transaction([&](Transaction& transaction) {
    const auto rows = *transaction.erase_rows(erasure);
    EXPECT_EQ(rows.keys, 1U);
    EXPECT_TRUE(rows.had_row);
  });
  EXPECT_TRUE((*store_->find_user("alice"))->deleted);
  in_transaction([&](Transaction& transaction) { EXPECT_EQ(*transaction.erase_history(erasure), 4U); });
  EXPECT_EQ(*store_->find_user("alice"), std::nullopt);
  const auto erased = **store_->find_key(key.id);
  EXPECT_EQ(erased.user_id, "erased-1");
  EXPECT_EQ(erased.name + erased.metadata, "{}");
  EXPECT_TRUE(erased.labels.empty());
  EXPECT_TRUE(erased.deleted);
  const auto changes = *store_->changes_after(Seq{0}, 100);
  EXPECT_EQ(changes.size(), 7U);
  for (const Change& change : changes) {
    EXPECT_NE(change.actor, "alice");
    if (const auto* row = std::get_if<AccessKey>(&change.row)) {
      EXPECT_NE(row->user_id, "alice");
      EXPECT_TRUE(row->user_id != "erased-1" || (row->name.empty() && row->metadata == "{}"));
    }
    if (const auto* row = std::get_if<User>(&change.row)) {
      EXPECT_EQ(row->user_id + row->metadata, "erased-1{}");
    }
  }
  EXPECT_EQ(changes.back().action, "user-erase");
  EXPECT_EQ(changes[3].action, "create") << "what was done stays";
  in_transaction([&](Transaction& transaction) {
    EXPECT_EQ(transaction.erase_rows({"alice", "erased-2", now(), "ops"})->keys, 0U);
  });
  User again = new_user("alice");
  put_user(again);
  EXPECT_FALSE((*store_->find_user("alice"))->deleted) << "the name may be used anew";
}

TEST_P(TermsSuite, NoticesStandInOrderAndOnce) {
  const AccessKey key = put(new_key("alice"));
  const Notice one{0, "key.disabled", now(), key.id, "alice", 1}, two{0, "key.expired", now(), key.id, "alice", 1};
  const Notice of_user{0, "user.disabled", now(), std::nullopt, "alice", 1};
  in_transaction([&](Transaction& transaction) {
    EXPECT_EQ(*transaction.last_notice(), 0U);
    EXPECT_EQ(*transaction.add_notices(std::vector{one, two, one}), 2U);
    EXPECT_EQ(*transaction.add_notices(std::vector{two, of_user}), 1U);
    EXPECT_EQ(*transaction.last_notice(), 3U);
  });
  const auto all = *store_->notices_after(0, 10);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].id, 1U);
  EXPECT_EQ(all[0].key_id, key.id);
  EXPECT_EQ(all[1].kind + all[1].user_id, "key.expiredalice");
  EXPECT_EQ(all[2].key_id, std::nullopt);
  EXPECT_EQ(store_->notices_after(1, 1)->at(0), all[1]);
  clock_.advance(std::chrono::milliseconds(notice_lifetime_ms + 1));
  const Notice late{0, "key.rotated", now(), key.id, "alice", 9};
  in_transaction([&](Transaction& transaction) { EXPECT_EQ(*transaction.add_notices(std::vector{late, late}), 1U); });
  EXPECT_EQ(store_->notices_after(0, 10)->back().id, 4U);
  EXPECT_LT(store_->notices_after(0, 10)->size(), 4U) << "old ones go";
}

TEST_P(TermsSuite, AMarkBelongsToOneForAWhile) {
  const auto lease = [&](const char* owner, std::int64_t from, std::int64_t to) {
    std::optional<std::int64_t> value;
    in_transaction([&](Transaction& transaction) { value = *transaction.lease_mark({"a", owner, {from}, {to}, 7}); });
    return value;
  };
  EXPECT_EQ(lease("one", 0, 100), 7);
  EXPECT_EQ(lease("two", 50, 200), std::nullopt);
  in_transaction([&](Transaction& transaction) { EXPECT_TRUE(transaction.set_mark("a", 8)); });
  EXPECT_EQ(lease("one", 60, 150), 8);
  EXPECT_EQ(lease("two", 151, 300), 8);
  EXPECT_EQ(lease("one", 200, 400), std::nullopt);
}

TEST_P(TermsSuite, KeysThatExpireAreFoundByWhen) {
  AccessKey key = new_key("alice"), disabled = new_key("bob");
  key.expires_at = UnixMillis{1000};
  disabled.expires_at = UnixMillis{1000};
  disabled.disabled = true;
  put(key);
  put(disabled);
  put(new_key("carol"));
  in_transaction([&](Transaction& transaction) {
    const auto found = *transaction.keys_expiring({999}, {1000});
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].id, key.id);
    EXPECT_EQ(found[0].user_id, "alice");
    EXPECT_TRUE(transaction.keys_expiring({1000}, {2000})->empty());
    EXPECT_TRUE(transaction.keys_expiring({0}, {999})->empty());
  });
}

TEST_P(TermsSuite, AnErrorRollsBackPlansAndUsersToo) {
  put_plan(new_plan("pro"));
  const auto failed = store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.put_plan(new_plan("pro", {}), "plan-update"));
    EXPECT_TRUE(transaction.put_user(new_user("alice"), "user-create"));
    EXPECT_EQ((*transaction.find_user("alice"))->version, Version{3});
    return Error(ErrorCode::conflict, "changed my mind");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ((*store_->find_plan("pro"))->limits.size(), 1U);
  EXPECT_EQ(*store_->find_user("alice"), std::nullopt);
  EXPECT_EQ(store_->position()->seq, Seq{1});
}

}  // namespace
}  // namespace latchkey::store
