#include "view/digest_check.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "view/digest_trail.hpp"
#include "view/projector.hpp"
#include "view/testing/sample_rows.hpp"
#include "view/testing/scripted_feed.hpp"

namespace latchkey::view {
namespace {

using feed::RowsDigest;
using std::chrono::milliseconds;

TEST(DigestTrail, KnowsThePositionsItPassedLately) {
  DigestTrail trail;
  trail.go_to({5}, 50);
  EXPECT_FALSE(trail.at({5})) << "it has not begun";
  trail.begin({10}, 100);
  for (std::uint64_t seq = 9; seq <= 12; ++seq) trail.go_to({seq}, 10 * seq);
  EXPECT_EQ(trail.at({10}), 100U);
  EXPECT_EQ(trail.at({12}), 120U);
  EXPECT_FALSE(trail.at({9}));
  EXPECT_FALSE(trail.at({13}));
  for (std::uint64_t seq = 13; seq <= 10 + 3 * DigestTrail::length; ++seq) trail.go_to({seq}, 10 * seq);
  const std::uint64_t last = 10 + 3 * DigestTrail::length, oldest = last - DigestTrail::length + 1;
  EXPECT_EQ(trail.at({last}), 10 * last);
  EXPECT_EQ(trail.at({oldest}), 10 * oldest);
  EXPECT_FALSE(trail.at({oldest - 1}));
  trail.go_to({last + 2}, 1);
  EXPECT_FALSE(trail.at({last})) << "a gap ends it";
}

/// Whatever is applied in whatever order, the digest at a position is that of the rows.
TEST(ViewDigest, IsThatOfTheRowsAtEachPosition) {
  std::mt19937_64 dice(7);
  View view;
  std::map<std::uint64_t, AccessKey> rows;
  const auto sum = [&] {
    RowsDigest digest = 0;
    for (const auto& [number, key] : rows) digest += feed::digest_of(key, key.version);
    return digest;
  };
  view.advance({{1}, 0}, BootTime{1});
  std::map<std::uint64_t, RowsDigest> expected{{0, 0}};
  for (std::uint64_t seq = 1; seq <= 2000; ++seq) {
    AccessKey key = key_of(dice() % 50, seq);
    key.requests_per_minute = static_cast<std::uint32_t>(1 + dice() % 9);
    key.disabled = dice() % 2 == 0;
    key.deleted = dice() % 5 == 0;
    const std::uint64_t number = key.id.bytes().back();
    rows[number] = key;
    const Change change{{seq}, {1}, "ops", "update", key, {seq}};
    view.apply(change);
    if (dice() % 3 == 0) view.apply(change);
    expected[seq] = sum();
  }
  view.advance({{1}, 2000}, BootTime{2});
  for (const auto& [seq, digest] : expected) ASSERT_EQ(view.digest_at({{1}, seq}), digest) << seq;
  EXPECT_FALSE(view.digest_at({{2}, 2000})) << "another epoch";
  const auto before = view.digest_at({{1}, 2000});
  ASSERT_TRUE(view.plant_drift());
  EXPECT_EQ(view.digest_at({{1}, 2000}), before) << "a fault of memory passes the digest by";
  view.reset();
  EXPECT_FALSE(view.digest_at({{1}, 2000}));
}

/// Runs a whole recount, with `between` after each part.
bool recount(
    View& view, const std::function<void()>& between = [] {}) {
  for (;;) {
    if (const auto result = view.recount()) return *result;
    between();
  }
}

TEST(ViewDigest, ARecountFindsARowThatChangedInMemory) {
  View view;
  for (std::uint64_t n = 0; n < 50; ++n) view.apply(key_of(n, n + 1));
  view.apply(signing_key_of('a'), {51});
  EXPECT_TRUE(recount(view));
  ASSERT_TRUE(view.plant_drift());
  EXPECT_FALSE(recount(view));
  for (std::uint64_t n = 0; n < 50; ++n) view.apply(key_of(n, n + 100));
  EXPECT_FALSE(recount(view)) << "the wrong row is gone, and so is what it was counted for";
  view.reset();
  EXPECT_TRUE(recount(view));
}

TEST(ViewDigest, ARecountGoesOnWhileRowsChange) {
  std::mt19937_64 dice(11);
  View view;
  std::uint64_t seq = 0;
  const auto change = [&] {
    const std::uint64_t number = dice() % 200;
    view.apply(Change{{++seq}, {1}, "ops", "update", key_of(number, seq), {seq}});
  };
  for (int round = 0; round < 5; ++round) EXPECT_TRUE(recount(view, change)) << round;
  bool planted = false;
  EXPECT_FALSE(recount(view, [&] { planted = planted || (seq > 5'200 && view.plant_drift()), change(); }) &&
               recount(view, change))
      << planted;
}

TEST(ViewDigest, CountsSigningKeysUntilTheyAreRetired) {
  View view;
  view.apply(signing_key_of('a'), {1});
  view.apply(signing_key_of('b'), {2});
  view.apply(signing_key_of('a', SigningKeyState::retired), {3});
  view.advance({{1}, 3}, BootTime{1});
  EXPECT_EQ(view.digest_at({{1}, 3}), feed::digest_of(signing_key_of('b'), {2}));
}

struct SaidSource final : feed::DigestSource {
  Result<feed::StoreDigest, feed::FeedError> read() override {
    ++reads;
    if (!digest) return feed::FeedError{feed::FeedError::Kind::unavailable, "away"};
    return *digest;
  }
  std::optional<feed::StoreDigest> digest;
  int reads = 0;
};

class DigestCheckTest : public testing::Test {
 protected:
  DigestCheckTest() {
    view_.apply(key_of(1, 1));
    view_.advance(at_, BootTime{1});
    source_.digest = feed::StoreDigest{{at_, 0}, feed::digest_of(key_of(1, 1), Version{1}), {}};
  }
  std::optional<std::string> check() {
    check_.read_once();
    return check_.look_for_drift(view_);
  }

  const Position at_{{1}, 1};
  View view_;
  ManualClock clock_;
  SaidSource source_;
  DigestCheck check_{source_, clock_};
};

TEST_F(DigestCheckTest, TheSameRowsAreLeftInPeace) {
  EXPECT_EQ(check(), std::nullopt);
  EXPECT_EQ(check_.look_for_drift(view_), std::nullopt) << "an answer is compared once";
  EXPECT_EQ(check_.stats().same, 1U);
  EXPECT_EQ(check_.stats().last, Agreement::same);
}

TEST_F(DigestCheckTest, AnAnswerFromAheadWaitsForTheViewAndOneFromLongAgoIsMissed) {
  source_.digest->at.position.seq = {2};
  EXPECT_EQ(check(), std::nullopt);
  EXPECT_EQ(check_.stats().same + check_.stats().drifts + check_.stats().missed, 0U);
  const Change change{2, {1}, "ops", "update", key_of(1, 2), 1};
  view_.apply(change);
  view_.advance({{1}, 2}, BootTime{2});
  EXPECT_TRUE(check_.look_for_drift(view_)) << "the store's sum was that of before";
  source_.digest->at.position.seq = {};
  EXPECT_EQ(check(), std::nullopt);
  EXPECT_EQ(check_.stats().missed, 1U);
}

TEST_F(DigestCheckTest, AViewThatDiffersIsDistrustedTwiceAndThenLeftUntilTheNextTime) {
  source_.digest->digest += 1;
  EXPECT_TRUE(check()->contains("add up to"));
  EXPECT_TRUE(check());
  EXPECT_EQ(check(), std::nullopt);
  EXPECT_EQ(check_.stats().drifts, 3U);
  EXPECT_EQ(check_.stats().last, Agreement::differs);
  EXPECT_TRUE(check());
  source_.digest->digest -= 1;
  EXPECT_EQ(check(), std::nullopt);
  EXPECT_EQ(check_.stats().last, Agreement::same);
}

TEST_F(DigestCheckTest, AStoreThatIsAwayIsCountedAndSaysNothingAgainstTheView) {
  source_.digest.reset();
  EXPECT_EQ(check(), std::nullopt);
  EXPECT_EQ(check_.stats().unanswered, 1U);
  EXPECT_EQ(check_.stats().last, Agreement::unknown);
}

TEST_F(DigestCheckTest, OfALoadThatBeganAnewNoOlderAnswerIsCompared) {
  source_.digest->digest += 1;
  check_.read_once();
  check_.ask();
  EXPECT_EQ(check_.look_for_drift(view_), std::nullopt);
}

}  // namespace
}  // namespace latchkey::view
