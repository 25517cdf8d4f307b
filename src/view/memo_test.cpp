#include <gtest/gtest.h>

#include "view/testing/sample_rows.hpp"
#include "view/view.hpp"

namespace latchkey::view {
namespace {

constexpr jwt::TokenDigest digest_a{{0x1111, 0xaaaa00}};
constexpr jwt::TokenDigest digest_b{{0x2222, 0xbbbb00}};

class ViewMemo : public ::testing::Test {
 protected:
  ViewMemo() {
    view.apply(signing_key_of('a'), {1});
    view.apply(signing_key_of('b', SigningKeyState::verifying), {2});
    view.apply(key_of(1, 3));
  }
  void remember(Issue issue, const jwt::TokenDigest& digest, char kid = 'a') {
    const View::Reader reader(view);
    View::Reader::remember(*reader.find(id_of(1)), issue, digest, *reader.usable_key(std::string(43, kid)));
  }
  std::optional<Issue> recall(const jwt::TokenDigest& digest) {
    const View::Reader reader(view);
    return reader.recall(*reader.find(id_of(1)), digest);
  }
  View view;
};

TEST_F(ViewMemo, RecallsThatTokenOnly) {
  EXPECT_EQ(recall(digest_a), std::nullopt);
  EXPECT_EQ(recall({}), std::nullopt);
  remember(Issue::current, digest_a);
  EXPECT_EQ(recall(digest_a), Issue::current);
  EXPECT_EQ(recall(digest_b), std::nullopt);
  EXPECT_EQ(recall({{digest_a.words[0], digest_b.words[1]}}), std::nullopt);
  EXPECT_EQ(recall({{digest_b.words[0], digest_a.words[1]}}), std::nullopt);
}

TEST_F(ViewMemo, IsReplacedByAnotherDigestOfTheSameToken) {
  const auto replace = [&](const jwt::TokenDigest& from, const jwt::TokenDigest& to) {
    const View::Reader reader(view);
    reader.replace(*reader.find(id_of(1)), Issue::current, from, to);
  };
  replace(digest_a, digest_b);
  EXPECT_EQ(recall(digest_b), std::nullopt) << "there was nothing to replace";
  remember(Issue::current, digest_a);
  replace(digest_b, digest_b);
  EXPECT_EQ(recall(digest_b), std::nullopt) << "it was not what is remembered";
  replace(digest_a, digest_b);
  EXPECT_EQ(recall(digest_a), std::nullopt);
  EXPECT_EQ(recall(digest_b), Issue::current);
  view.apply(signing_key_of('a', SigningKeyState::retired), {9});
  EXPECT_EQ(recall(digest_b), std::nullopt) << "the seal is the one it was remembered with";
}

TEST_F(ViewMemo, SurvivesChangesThatKeepTheIssue) {
  remember(Issue::current, digest_a);
  AccessKey key = key_of(1, 4);
  key.requests_per_minute = 1;
  key.disabled = true;
  view.apply(key);
  EXPECT_EQ(recall(digest_a), Issue::current);
}

TEST_F(ViewMemo, BecomesTheEarlierIssuesAtARotationWithGrace) {
  remember(Issue::current, digest_a);
  AccessKey key = key_of(1, 4);
  key.previous = PreviousIssue{key.issued_at, {1'767'225'700'000}};
  key.issued_at.seconds += 10;
  view.apply(key);
  EXPECT_EQ(recall(digest_a), Issue::earlier);
  remember(Issue::current, digest_b);
  key.version = Version{5};
  key.disabled = true;
  view.apply(key);
  EXPECT_EQ(recall(digest_a), Issue::earlier);
  EXPECT_EQ(recall(digest_b), Issue::current);
}

TEST_F(ViewMemo, IsForgottenWhenTheIssueIs) {
  remember(Issue::current, digest_a);
  AccessKey key = key_of(1, 4);
  key.issued_at.seconds += 10;
  view.apply(key);
  EXPECT_EQ(recall(digest_a), std::nullopt);
}

TEST_F(ViewMemo, IsForgottenWhenTheUserChanges) {
  remember(Issue::current, digest_a);
  AccessKey key = key_of(1, 4);
  key.user_id = "another";
  view.apply(key);
  EXPECT_EQ(recall(digest_a), std::nullopt);
}

// A rotated-out token may be remembered as such; a previous issue that a later row names is another one.
TEST_F(ViewMemo, OfARotatedOutTokenNeverCountsAsThePreviousIssue) {
  remember(Issue::earlier, digest_b);
  AccessKey key = key_of(1, 4);
  key.previous = PreviousIssue{{key.issued_at.seconds - 10}, {INT64_MAX}};
  view.apply(key);
  EXPECT_EQ(recall(digest_b), std::nullopt);
}

TEST_F(ViewMemo, DiesWithTheSigningKeyThatProvedIt) {
  remember(Issue::current, digest_a, 'a');
  remember(Issue::earlier, digest_b, 'b');
  view.apply(signing_key_of('a', SigningKeyState::retired), {4});
  EXPECT_EQ(recall(digest_a), std::nullopt);
  EXPECT_EQ(recall(digest_b), Issue::earlier) << "another signing key's tokens are left alone";
}

TEST_F(ViewMemo, IsNotRevivedWithItsSigningKeyOrByAnother) {
  const auto before = View::Reader(view).usable_key(std::string(43, 'a'));
  remember(Issue::current, digest_a, 'a');
  view.apply(signing_key_of('a', SigningKeyState::retired), {4});
  view.apply(signing_key_of('c'), {5});  // takes the free place
  EXPECT_EQ(recall(digest_a), std::nullopt);
  view.apply(signing_key_of('a'), {6});
  EXPECT_EQ(recall(digest_a), std::nullopt);
  // A verification that began before the retirement and ends after it.
  const View::Reader reader(view);
  View::Reader::remember(*reader.find(id_of(1)), Issue::current, digest_a, *before);
  EXPECT_EQ(recall(digest_a), std::nullopt);
}

TEST_F(ViewMemo, MoreSigningKeysThanSealsAreVerifiedEachTime) {
  for (int i = 0; i < 300; ++i) {
    SigningKey key = signing_key_of('z');
    key.kid = std::to_string(i);
    view.apply(key, {10});
  }
  const View::Reader reader(view);
  ASSERT_TRUE(reader.usable_key("299"));
  View::Reader::remember(*reader.find(id_of(1)), Issue::current, digest_a, *reader.usable_key("299"));
  EXPECT_EQ(recall(digest_a), std::nullopt);
}

}  // namespace
}  // namespace latchkey::view
