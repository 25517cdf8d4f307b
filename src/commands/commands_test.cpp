// The commands' decisions as tables: current row, request, now → new row. No store.

#include <gtest/gtest.h>

#include "commands/create_key.hpp"
#include "commands/delete_key.hpp"
#include "commands/disable_own_key.hpp"
#include "commands/rotate_key.hpp"
#include "commands/rotate_signing_key.hpp"
#include "commands/update_key.hpp"

namespace latchkey::commands {
namespace {

using std::chrono::seconds;

constexpr UnixMillis now{1'767'225'600'500};
const Author by_ops{"ops", now};

AccessKey stored_key() {
  SeededRandom random(1);
  AccessKey key;
  key.id = KeyId::generate(now, random);
  key.user_id = "alice";
  key.name = "laptop";
  key.metadata = R"({"team":"wallet","tier":{"a":1,"b":2}})";
  key.requests_per_minute = 60;
  key.issued_at = {now.seconds() - 100};
  key.created_at = {now.count - 100'000};
  key.updated_at = {now.count - 100'000};
  key.updated_by = "setup";
  key.version = Version{7};
  return key;
}

AccessKey deleted_key() {
  AccessKey key = stored_key();
  key.deleted = true;
  return key;
}

TEST(CreateKey, MakesTheFirstRow) {
  const KeyId id = stored_key().id;
  const auto key = decide(CreateKey{"bob", 5, seconds(30), "phone", R"({"a":1})"}, id, by_ops);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->id, id);
  EXPECT_EQ(key->user_id, "bob");
  EXPECT_EQ(key->requests_per_minute, 5u);
  EXPECT_EQ(key->issued_at.seconds, now.seconds());
  EXPECT_EQ(key->expires_at, UnixMillis{now.count + 30'000});
  EXPECT_EQ(key->created_at, now);
  EXPECT_EQ(key->updated_at, now);
  EXPECT_EQ(key->updated_by, "ops");
  EXPECT_FALSE(key->previous);
}

TEST(CreateKey, RefusesAnExpiryThatHasPassed) {
  const auto key = decide(CreateKey{"bob", 5, now, "", "{}"}, KeyId(), by_ops);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().fields.at(0).pointer, "/expiresAt");
}

struct UpdateCase {
  std::string_view name;
  UpdateKey command;
  std::string_view action;  // empty: no change
};

TEST(UpdateKey, NamesTheChangeByWhatDiffers) {
  const std::vector<UpdateCase> cases = {
      {"nothing", {}, ""},
      {"same limit", {.requests_per_minute = 60}, ""},
      {"same state", {.disabled = false}, ""},
      {"limit", {.requests_per_minute = 61}, "update"},
      {"off", {.disabled = true}, "disable"},
      {"off, same limit", {.requests_per_minute = 60, .disabled = true}, "disable"},
      {"off and limit", {.requests_per_minute = 61, .disabled = true}, "update"},
      {"expiry", {.expiry = Expiry(seconds(1))}, "update"},
      {"never, as before", {.expiry = Expiry(Never{})}, ""},
      {"name", {.name = "x"}, "update"},
      {"no name", {.name = ""}, "update"},
      {"metadata", {.metadata = "{}"}, "update"},
  };
  for (const auto& c : cases) {
    const auto decision = decide(c.command, stored_key(), by_ops);
    ASSERT_TRUE(decision) << c.name;
    EXPECT_EQ(decision->has_value() ? (*decision)->action : "", c.action) << c.name;
  }
}

TEST(UpdateKey, EnablesWhatWasDisabled) {
  AccessKey key = stored_key();
  key.disabled = true;
  const auto decision = decide(UpdateKey{.disabled = false}, key, by_ops);
  ASSERT_TRUE(decision && *decision);
  EXPECT_EQ((*decision)->action, "enable");
  EXPECT_FALSE((*decision)->key.disabled);
}

TEST(UpdateKey, KeepsWhatIsNotNamed) {
  const AccessKey before = stored_key();
  const auto decision = decide(UpdateKey{.requests_per_minute = 1}, before, by_ops);
  AccessKey expected = before;
  expected.requests_per_minute = 1;
  expected.updated_at = now;
  expected.updated_by = "ops";
  EXPECT_EQ((**decision).key, expected);
}

TEST(UpdateKey, MovesUpdatedAtForwardWhateverTheClock) {
  AccessKey key = stored_key();
  key.updated_at = {now.count + 5'000};
  const auto decision = decide(UpdateKey{.requests_per_minute = 1}, key, by_ops);
  EXPECT_EQ((*decision)->key.updated_at.count, now.count + 5'001);
}

TEST(UpdateKey, ReplacesOrMergesMetadata) {
  const std::string patch = R"({"team":null,"tier":{"b":3}})";
  const auto replaced = decide(UpdateKey{.metadata = patch}, stored_key(), by_ops);
  EXPECT_EQ((*replaced)->key.metadata, patch);
  const auto merged = decide(UpdateKey{.metadata = patch, .metadata_mode = Metadata::merge}, stored_key(), by_ops);
  EXPECT_EQ((*merged)->key.metadata, R"({"tier":{"a":1,"b":3}})");
}

TEST(UpdateKey, HoldsMergedMetadataToItsLimit) {
  AccessKey key = stored_key();
  key.metadata = R"({"a":")" + std::string(4000, 'x') + "\"}";
  const std::string patch = R"({"b":")" + std::string(200, 'x') + "\"}";
  const auto merged = decide(UpdateKey{.metadata = patch, .metadata_mode = Metadata::merge}, key, by_ops);
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::invalid);
}

TEST(DeletedKey, RefusesEveryCommandButDelete) {
  EXPECT_EQ(decide(UpdateKey{.disabled = true}, deleted_key(), by_ops).error().code, ErrorCode::conflict);
  EXPECT_EQ(decide(RotateKey{}, deleted_key(), by_ops).error().code, ErrorCode::conflict);
  EXPECT_EQ(decide_disable_own(deleted_key(), deleted_key().issued_at, by_ops).error().code, ErrorCode::conflict);
  const auto again = decide_delete(deleted_key(), by_ops);
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
}

TEST(RotateKey, MovesTheIssueTimeForward) {
  const auto decision = decide(RotateKey{}, stored_key(), by_ops);
  EXPECT_EQ((*decision)->key.issued_at.seconds, now.seconds());
  EXPECT_EQ((*decision)->action, "rotate");
  const auto again = decide(RotateKey{}, (*decision)->key, by_ops);
  EXPECT_EQ((*again)->key.issued_at.seconds, now.seconds() + 1);
}

TEST(RotateKey, LeavesTheLatestIssueItsGraceOnly) {
  const auto graced = decide(RotateKey{seconds(60)}, stored_key(), by_ops);
  const PreviousIssue expected{stored_key().issued_at, UnixMillis{now.count + 60'000}};
  EXPECT_EQ((*graced)->key.previous, expected);
  const auto sharp = decide(RotateKey{}, (*graced)->key, by_ops);
  EXPECT_FALSE((*sharp)->key.previous);
}

TEST(RotateKey, LeavesADisabledKeyDisabled) {
  AccessKey key = stored_key();
  key.disabled = true;
  EXPECT_TRUE((*decide(RotateKey{}, key, by_ops))->key.disabled);
}

TEST(DisableOwnKey, TakesTheCurrentIssueOrOneInItsGrace) {
  AccessKey key = stored_key();
  key.previous = PreviousIssue{{key.issued_at.seconds - 10}, {now.count + 1}};
  EXPECT_TRUE(decide_disable_own(key, key.issued_at, by_ops));
  EXPECT_TRUE(decide_disable_own(key, key.previous->issued_at, by_ops));
  key.previous->valid_until = now;
  EXPECT_EQ(decide_disable_own(key, key.previous->issued_at, by_ops).error().code, ErrorCode::not_found);
}

SigningKey signing_key(std::string kid, SigningKeyState state) { return {std::move(kid), {}, state, {1}, {1}}; }

TEST(RotateSigningKey, LetsTheEarlierStepDownFirst) {
  const std::vector<SigningKey> current = {signing_key("a", SigningKeyState::retired),
                                           signing_key("b", SigningKeyState::verifying),
                                           signing_key("c", SigningKeyState::signing)};
  const auto fresh = signing_key("d", SigningKeyState::signing);
  const auto kept = decide_signing_key_rotation(current, fresh, EarlierKeys::keep_verifying, now);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].kid, "c");
  EXPECT_EQ(kept[0].state, SigningKeyState::verifying);
  EXPECT_EQ(kept[1], fresh);
  const auto retired = decide_signing_key_rotation(current, fresh, EarlierKeys::retire, now);
  ASSERT_EQ(retired.size(), 3u);
  EXPECT_EQ(retired[0].state, SigningKeyState::retired);
  EXPECT_EQ(retired[1].state, SigningKeyState::retired);
  EXPECT_EQ(retired[2], fresh);
}

TEST(Precondition, ComparesVersionsWhateverAProxyMadeOfTheTag) {
  const std::vector<std::pair<std::string_view, bool>> cases = {
      {"\"7\"", true},  {"*", true},        {" * ", true},     {"\"6\", \"7\"", true},
      {"\"6\"", false}, {"W/\"7\"", true},  {"7", false},      {"\"07\"", false},
      {"W/7", false},   {"W/\"6\"", false}, {"W/", false},     {"W/W/\"7\"", false},
      {"\"\"", false},  {"", false},        {"\"7\"x", false}, {"\"7\",", true},
  };
  for (const auto& [list, holds] : cases) EXPECT_EQ(Precondition::from_etags(list).holds(Version{7}), holds) << list;
  EXPECT_TRUE(Precondition().holds(Version{7}));
}

}  // namespace
}  // namespace latchkey::commands
