#include "store/testing/audit_suite.hpp"

namespace latchkey::store {

AccessKey AuditSuite::change(AccessKey key, const std::string& action, const AuditNote& note) {
  const auto done = store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
    const auto version = transaction.put_key(key, action);
    if (!version) return version.error();
    key.version = *version;
    return transaction.note(note);
  });
  EXPECT_TRUE(done) << done.error().internal;
  return key;
}

std::vector<std::uint64_t> AuditSuite::seqs(const AuditQuery& query) {
  const auto page = store_->audit(query);
  EXPECT_TRUE(page) << page.error().internal;
  std::vector<std::uint64_t> found;
  if (page) {
    for (const auto& entry : page->entries) found.push_back(entry.change.seq.value);
  }
  return found;
}

namespace {

using Seqs = std::vector<std::uint64_t>;

TEST_P(AuditSuite, FindsByKeyUserActorAndTimeInBothOrders) {
  AccessKey alice = change(new_key("alice"), "create");  // 1
  const UnixMillis between = now();
  AccessKey bob = change(new_key("bob"), "create");  // 2
  clock_.advance(std::chrono::milliseconds(1));
  alice.disabled = true;
  alice.updated_at = now();
  alice.updated_by = "eve";
  change(alice, "disable");  // 3
  bob.updated_at = now();
  change(bob, "update");  // 4
  ASSERT_TRUE(store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
    const User user{"alice", std::nullopt, {}, true, "{}", false, now(), now(), "ops", {}};
    const auto put = transaction.put_user(user, "user-create");  // 5
    return put ? Result<void>() : put.error();
  }));
  EXPECT_EQ(seqs({}), (Seqs{1, 2, 3, 4, 5}));
  EXPECT_EQ(seqs({.newest_first = true}), (Seqs{5, 4, 3, 2, 1}));
  EXPECT_EQ(seqs({.key_id = alice.id}), (Seqs{1, 3}));
  EXPECT_EQ(seqs({.newest_first = true, .key_id = alice.id}), (Seqs{3, 1}));
  EXPECT_EQ(seqs({.user_id = "alice"}), (Seqs{1, 3, 5}));
  EXPECT_EQ(seqs({.actor = "eve"}), (Seqs{3}));
  EXPECT_EQ(seqs({.user_id = "alice", .actor = "ops"}), (Seqs{1, 5}));
  EXPECT_EQ(seqs({.user_id = "nobody"}), Seqs());
  EXPECT_EQ(seqs({.until = between}), Seqs()) << "exclusive";
  EXPECT_EQ(seqs({.since = between}), (Seqs{1, 2, 3, 4, 5})) << "inclusive";
  EXPECT_EQ(seqs({.newest_first = true, .since = UnixMillis{between.count + 1}}), (Seqs{5, 4, 3, 2}));
  EXPECT_EQ(seqs({.until = UnixMillis{between.count + 1}}), (Seqs{1}));
  EXPECT_EQ(seqs({.key_id = bob.id, .since = now()}), (Seqs{4}));
  EXPECT_EQ(seqs({.since = UnixMillis{now().count + 1}}), Seqs());
}

TEST_P(AuditSuite, PagesInBothOrdersSayWhetherThereIsMore) {
  for (int i = 0; i < 5; ++i) change(new_key(i % 2 == 0 ? "even" : "odd"), "create");
  for (const bool newest : {true, false}) {
    AuditQuery query{.newest_first = newest, .user_id = "even", .limit = 2};
    const auto first = store_->audit(query);
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->more);
    query.after = first->entries.back().change.seq;
    const auto second = store_->audit(query);
    ASSERT_TRUE(second);
    EXPECT_FALSE(second->more);
    ASSERT_EQ(second->entries.size(), 1U);
    EXPECT_EQ(second->entries[0].change.seq, Seq{newest ? 1U : 5U});
  }
}

TEST_P(AuditSuite, EachEntryHasTheRowAsItWasBefore) {
  AccessKey key = change(new_key(), "create");
  change(new_key("other"), "create");
  key.requests_per_minute = 5;
  change(key, "update");
  const auto page = store_->audit({.newest_first = true, .key_id = key.id});
  ASSERT_TRUE(page);
  ASSERT_EQ(page->entries.size(), 2U);
  ASSERT_TRUE(page->entries[0].before);
  EXPECT_EQ(std::get<AccessKey>(page->entries[0].before->row).requests_per_minute, 60U);
  EXPECT_EQ(page->entries[0].before->seq, Seq{1});
  EXPECT_FALSE(page->entries[1].before);
}

TEST_P(AuditSuite, PlansUsersAndSigningKeysHaveABeforeOfTheirOwn) {
  change(new_key("pro"), "create");  // neither a plan nor a user
  for (const char* description : {"one", "two"}) {
    ASSERT_TRUE(store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
      const Plan plan{"pro", description, {per_minute_limit(5)}, "{}", false, now(), now(), "ops", {}};
      const User user{"pro", std::nullopt, {}, std::string_view(description) == "two", "{}", false, now(),
                      now(), "ops",        {}};
      if (auto put = transaction.put_plan(plan, "plan-update"); !put) return put.error();
      if (auto put = transaction.put_user(user, "user-update"); !put) return put.error();
      const auto put = transaction.put_signing_key(new_signing_key('a'), "ops");
      return put ? Result<void>() : put.error();
    }));
  }
  const auto page = store_->audit({});
  ASSERT_TRUE(page);
  ASSERT_EQ(page->entries.size(), 7U);
  for (int i = 1; i < 4; ++i) EXPECT_FALSE(page->entries[i].before) << i;
  for (int i = 4; i < 7; ++i) {
    ASSERT_TRUE(page->entries[i].before) << i;
    EXPECT_EQ(page->entries[i].before->seq, page->entries[i].change.seq - 3);
  }
}

TEST_P(AuditSuite, WhatIsNotedStandsBesideTheChangesOfItsTransactionAlone) {
  change(new_key(), "create", {"192.0.2.1", "curl/8", "asked for by \"Ümläut\"", "", ""});
  change(new_key(), "create");
  const auto page = store_->audit({});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->entries[0].note.address, "192.0.2.1");
  EXPECT_EQ(page->entries[0].note.user_agent, "curl/8");
  EXPECT_EQ(page->entries[0].note.reason, "asked for by \"Ümläut\"");
  EXPECT_EQ(page->entries[1].note, AuditNote());
}

TEST_P(AuditSuite, WhatIsTakenBackLeavesNoNote) {
  const auto done = store_->transact_and_wait([&](Transaction& transaction) -> Result<void> {
    if (const auto put = transaction.put_key(new_key(), "create"); !put) return put.error();
    if (auto noted = transaction.note({"192.0.2.1", "", "", "", ""}); !noted) return noted;
    return Error(ErrorCode::invalid, "no");
  });
  EXPECT_FALSE(done);
  change(new_key(), "create");
  EXPECT_EQ(store_->audit({})->entries.at(0).note, AuditNote());
}

}  // namespace
}  // namespace latchkey::store
