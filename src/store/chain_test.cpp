#include "store/chain.hpp"

#include <gtest/gtest.h>

namespace latchkey::store {
namespace {

class ChainTest : public testing::Test {
 protected:
  ChainTest() {
    AccessKey key;
    key.id = *KeyId::parse("0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d");
    key.user_id = "alice";
    key.name = "n";
    key.metadata = R"({"a":1})";
    key.requests_per_minute = 60;
    key.limits = LimitList{per_minute_limit(5)};
    key.scopes = ScopeList{"a"};
    key.labels = {{"team", "x"}};
    SigningKey signing;
    signing.kid = "kid";
    const Plan plan{"pro", "d", {per_minute_limit(5)}, "{}", false, {1}, {2}, "ops", {}};
    const User user{"alice", "pro", {}, true, "{}", false, {1}, {2}, "ops", {}};
    add(key), add(signing), add(plan), add(user);
  }
  void add(decltype(Change::row) row) {
    Change change{.seq = {changes_.size() + 1}, .at = {7}, .actor = "ops", .action = "update", .row = std::move(row)};
    change.nonce = {0xfedcba9876543210U + changes_.size()};
    changes_.push_back(std::move(change));
    notes_.push_back({"192.0.2.1", "curl", "why", "role", "psql"});
    links_.push_back(make_link(links_.back().hash, changes_.back(), notes_.back(), random_));
  }
  ChainReport walk() {
    ChainWalk walk;
    walk.step(links_[0], nullptr, {});
    for (std::size_t i = 1; i < links_.size(); ++i) {
      if (!walk.step(links_[i], i <= changes_.size() ? &changes_[i - 1] : nullptr, notes_[i - 1])) break;
    }
    return walk.report();
  }

  SeededRandom random_{19};
  std::vector<ChainLink> links_{ChainLink{.seq = {}, .salt = {}}};
  std::vector<Change> changes_;
  std::vector<AuditNote> notes_;
};

TEST_F(ChainTest, IsWholeAsItWasMade) {
  const auto report = walk();
  EXPECT_FALSE(report.broken);
  EXPECT_EQ(report.whole, 4U);
  EXPECT_EQ(report.end, Seq{4});
  EXPECT_EQ(report.head, links_[4].hash);
}

// For ever: a release that hashes otherwise calls every chain broken that an earlier one made.
TEST_F(ChainTest, TheHashOfARowOfEachKindStaysWhatItIs) {
  EXPECT_EQ(hex_of(links_[1].hash).substr(0, 16), "f5eab953896ddcc4");
  EXPECT_EQ(hex_of(links_[2].hash).substr(0, 16), "336a531709f99f69");
  EXPECT_EQ(hex_of(links_[3].hash).substr(0, 16), "14b9ab1ac60cc695");
  EXPECT_EQ(hex_of(links_[4].hash).substr(0, 16), "f7ba02fbe69af872");
}

TEST_F(ChainTest, WhateverIsChangedBreaksItRightThere) {
  const auto breaks = [&](const char* what, std::size_t seq, auto change) {
    const auto changes = changes_;
    const auto links = links_;
    const auto notes = notes_;
    change();
    const auto report = walk();
    ASSERT_TRUE(report.broken) << what;
    EXPECT_EQ(report.broken->seq, Seq{seq}) << what;
    changes_ = changes, links_ = links, notes_ = notes;
  };
  const auto key = [&]() -> AccessKey& { return std::get<AccessKey>(changes_[0].row); };
  breaks("time", 1, [&] { changes_[0].at = {8}; });
  breaks("action", 1, [&] { changes_[0].action = "create"; });
  breaks("actor", 1, [&] { changes_[0].actor = "eve"; });
  breaks("nonce", 1, [&] { changes_[0].nonce = {1}; });
  breaks("disabled", 1, [&] { key().disabled = true; });
  breaks("limits", 1, [&] { key().limits = LimitList{per_minute_limit(6)}; });
  breaks("no limits", 1, [&] { key().limits.reset(); });
  breaks("scopes", 1, [&] { key().scopes = ScopeList{}; });
  breaks("labels", 1, [&] { key().labels.clear(); });
  breaks("user", 1, [&] { key().user_id = "bob"; });
  breaks("metadata", 1, [&] { key().metadata = "{}"; });
  breaks("signing key", 2, [&] { std::get<SigningKey>(changes_[1].row).public_key[0] ^= 1; });
  breaks("plan", 3, [&] { std::get<Plan>(changes_[2].row).description = ""; });
  breaks("user row", 4, [&] { std::get<User>(changes_[3].row).disabled = false; });
  breaks("reason", 2, [&] { notes_[1].reason = ""; });
  breaks("address", 2, [&] { notes_[1].address = "192.0.2.2"; });
  breaks("salt", 3, [&] { (*links_[3].salt)[0] ^= 1; });
  breaks("personal", 3, [&] { links_[3].personal[0] ^= 1; });
  breaks("hash", 3, [&] { links_[3].hash[0] ^= 1; });
  breaks("a link that is gone", 2, [&] { links_.erase(links_.begin() + 2); });
  breaks("a change that is gone", 4, [&] { changes_.pop_back(); });
  breaks("one made anew", 3, [&] { links_[2] = make_link(links_[1].hash, changes_[1], notes_[1], random_); });
}

TEST_F(ChainTest, AnErasedRowStaysInItsPlace) {
  std::get<AccessKey>(changes_[0].row).user_id = "pseudonym";
  std::get<AccessKey>(changes_[0].row).name.clear();
  notes_[0] = {};
  links_[1].salt.reset();
  const auto report = walk();
  EXPECT_FALSE(report.broken) << report.broken->why;
  EXPECT_EQ(report.erased, 1U);
  EXPECT_EQ(report.whole, 3U);
  std::get<AccessKey>(changes_[0].row).disabled = true;
  EXPECT_TRUE(walk().broken) << "what is public is still held";
}

TEST_F(ChainTest, TheSameRowTwiceHasTwoCommitments) {
  EXPECT_NE(make_link({}, changes_[0], notes_[0], random_).personal,
            make_link({}, changes_[0], notes_[0], random_).personal);
}

TEST(Clipped, KeepsWholeCharacters) {
  EXPECT_EQ(clipped("abc", 3), "abc");
  EXPECT_EQ(clipped("abcd", 3), "abc");
  EXPECT_EQ(clipped("aü", 2), "a");
  EXPECT_EQ(clipped("€", 2), "");
}

}  // namespace
}  // namespace latchkey::store
