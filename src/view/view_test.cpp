#include <gtest/gtest.h>

#include <map>
#include <random>

#include "view/testing/sample_rows.hpp"
#include "view/view.hpp"

namespace latchkey::view {
namespace {

TEST(View, StartsIncompleteAndEmpty) {
  View view;
  EXPECT_FALSE(view.freshness().complete);
  EXPECT_EQ(view.key_count(), 0U);
  EXPECT_EQ(View::Reader(view).find(id_of(1)), nullptr);
}

TEST(View, IsCompleteOnceNothingIsMissing) {
  View view;
  view.advance({{7}, 3}, std::nullopt);
  EXPECT_FALSE(view.freshness().complete);
  view.advance({{7}, 4}, BootTime{99});
  EXPECT_TRUE(view.freshness().complete);
  EXPECT_EQ(view.freshness().position, (Position{{7}, 4}));
  view.advance({{7}, 5}, std::nullopt);
  EXPECT_TRUE(view.freshness().complete);
  EXPECT_EQ(view.freshness().current_as_of, BootTime{99});
}

TEST(View, KeepsWhatTheAccessCheckNeeds) {
  View view;
  AccessKey key = key_of(1, 5);
  key.user_id = std::string(max_user_id_bytes, 'x');
  key.previous = PreviousIssue{{1'767'225'000}, {1'767'225'700'000}};
  key.expires_at = UnixMillis{1'767'225'800'000};
  view.apply(key);
  const View::Reader reader(view);
  const KeyRow* row = reader.find(key.id);
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->id(), key.id);
  EXPECT_EQ(row->user_id(), key.user_id);
  EXPECT_EQ(row->requests_per_minute(), 60U);
  EXPECT_EQ(row->issued_at(), key.issued_at);
  EXPECT_EQ(row->previous(), key.previous);
  EXPECT_EQ(row->expires_at(), key.expires_at);
  EXPECT_EQ(row->version(), Version{5});
  EXPECT_EQ(row->status([] { return UnixMillis{1'767'225'799'999}; }), KeyStatus::active);
  EXPECT_EQ(row->status([] { return UnixMillis{1'767'225'800'000}; }), KeyStatus::expired);
}

TEST(View, AUserIdThatBreaksItsRuleIsNobody) {
  View view;
  AccessKey key = key_of(1, 1);
  key.user_id = std::string(max_user_id_bytes + 1, 'x');
  view.apply(key);
  EXPECT_EQ(View::Reader(view).find(key.id)->user_id(), "");
}

TEST(View, StaleAndRepeatedRowsChangeNothing) {
  View view;
  AccessKey key = key_of(1, 5);
  key.deleted = true;
  view.apply(key);
  for (const std::uint64_t version : {1U, 4U, 5U}) {
    view.apply(key_of(1, version));
    EXPECT_TRUE(View::Reader(view).find(key.id)->deleted()) << version;
  }
  EXPECT_EQ(view.key_count(), 1U);
}

TEST(View, AChangesSeqIsItsRowsVersion) {
  View view;
  Change change;
  change.seq = {9};
  change.row = key_of(1, 0);
  view.apply(change);
  EXPECT_EQ(View::Reader(view).find(id_of(1))->version(), Version{9});
}

TEST(View, ResetEmptiesForReadersAtOnce) {
  View view;
  view.apply(key_of(1, 1));
  view.apply(signing_key_of('a'), {2});
  view.advance({{7}, 2}, BootTime{1});
  const View::Reader before(view);
  const KeyRow* row = before.find(id_of(1));
  view.reset();
  EXPECT_FALSE(view.freshness().complete);
  EXPECT_FALSE(before.freshness().complete);
  EXPECT_EQ(row->user_id(), "user-1") << "what a reader holds stays readable";
  EXPECT_EQ(View::Reader(view).find(id_of(1)), nullptr);
  EXPECT_EQ(view.signing_key(std::string(43, 'a')), std::nullopt);
  EXPECT_EQ(view.key_count(), 0U);
  // A view that is whole again does not make an old reader's state whole.
  view.advance({{7}, 2}, BootTime{2});
  EXPECT_TRUE(view.freshness().complete);
  EXPECT_FALSE(before.freshness().complete);
}

TEST(View, SigningKeysCountUntilRetired) {
  View view;
  view.apply(signing_key_of('a'), {1});
  view.apply(signing_key_of('b', SigningKeyState::verifying), {2});
  EXPECT_TRUE(view.signing_key(std::string(43, 'a')));
  EXPECT_TRUE(view.signing_key(std::string(43, 'b')));
  EXPECT_FALSE(view.signing_key(std::string(43, 'c')));
  view.apply(signing_key_of('a', SigningKeyState::retired), {3});
  EXPECT_FALSE(view.signing_key(std::string(43, 'a')));
  view.apply(signing_key_of('a'), {2});  // stale
  EXPECT_FALSE(view.signing_key(std::string(43, 'a')));
  EXPECT_TRUE(view.signing_key(std::string(43, 'b')));
}

void expect_equal(const View& view, const std::map<KeyId, AccessKey>& model) {
  ASSERT_EQ(view.key_count(), model.size());
  const View::Reader reader(view);
  for (const auto& [id, key] : model) {
    const KeyRow* row = reader.find(id);
    ASSERT_NE(row, nullptr);
    ASSERT_EQ(row->version(), key.version);
    ASSERT_EQ(row->user_id(), key.user_id);
    ASSERT_EQ(row->deleted(), key.deleted);
  }
}

TEST(View, EqualsAMapAfterRandomRows) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  View view;
  std::map<KeyId, AccessKey> model;
  for (int i = 0; i < 60'000; ++i) {
    AccessKey key = key_of(random() % 20'000, 1 + random() % 100'000);
    key.user_id.resize(1 + random() % max_user_id_bytes, 'u');
    key.deleted = random() % 4 == 0;
    view.apply(key);
    auto& held = model[key.id];
    if (held.version < key.version) held = key;
    if (i == 30'000) {
      view.reset();
      model.clear();
    }
  }
  expect_equal(view, model);
}

TEST(View, ReusesTheRowsItReplaced) {
  View view;
  std::uint64_t version = 0;
  for (std::uint64_t n = 0; n < 1000; ++n) view.apply(key_of(n, ++version));
  const std::size_t before = view.resident_bytes();
  for (int i = 0; i < 200'000; ++i) view.apply(key_of(version % 1000, version + 1)), ++version;
  EXPECT_EQ(view.resident_bytes(), before);
}

TEST(View, TakesAtMost128BytesAKey) {
  View view;
  constexpr std::uint64_t keys = 500'000;  // enough that the last chunk of each partition weighs little
  for (std::uint64_t n = 0; n < keys; ++n) {
    AccessKey key = key_of(n, n + 1);
    key.user_id.resize(16, 'u');
    view.apply(key);
  }
  EXPECT_LE(view.resident_bytes(), keys * 128) << view.resident_bytes() / keys;
}

}  // namespace
}  // namespace latchkey::view
