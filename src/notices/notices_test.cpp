// Notices by virtual time: a store in memory, a clock that the test turns, a target that is a function.

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.hpp"
#include "notices/notice_maker.hpp"
#include "notices/notice_sender.hpp"
#include "notices/webhook.hpp"
#include "store/memory/memory_store.hpp"

namespace latchkey::notices {
namespace {

constexpr std::chrono::hours one_day{24};

class Notices : public testing::Test {
 protected:
  AccessKey put(AccessKey key, const char* action) {
    key.updated_at = clock_.wall();
    EXPECT_TRUE(store_.transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
      const auto put = transaction.put_key(key, action);
      return put ? Result<void>() : put.error();
    }));
    return key;
  }
  AccessKey new_key(std::optional<Duration> lifetime = {}) {
    AccessKey key;
    key.id = KeyId::generate(clock_.wall(), random_);
    key.user_id = "alice";
    key.updated_by = "ops";
    if (lifetime) {
      key.expires_at =
          UnixMillis{clock_.wall().count + std::chrono::duration_cast<std::chrono::milliseconds>(*lifetime).count()};
    }
    return put(key, "create");
  }
  void look() { ASSERT_TRUE(maker_.look()); }
  std::vector<std::string> kinds() {
    std::vector<std::string> kinds;
    for (const Notice& notice : *store_.notices_after(0, 1000)) kinds.push_back(notice.kind);
    return kinds;
  }
  NoticeSender sender(std::string owner = "one") {
    return {store_, clock_, "https://example.org/hook", std::move(owner), [this](const Notice& notice) {
              ++attempts_;
              if (down_) return Result<void>(Error(ErrorCode::unavailable, "it answered 503"));
              taken_.push_back(notice.id);
              return Result<void>();
            }};
  }

  ManualClock clock_;
  SeededRandom random_{1};
  store::MemoryStore store_{clock_, random_};
  NoticeMaker maker_{store_, clock_};
  bool down_ = false;
  int attempts_ = 0;
  std::vector<std::uint64_t> taken_;
};

TEST_F(Notices, OfAKeysLastDaysComeInOrderAndOnce) {
  look();
  new_key(40 * one_day);
  new_key(3 * one_day);
  for (int day = 0; day < 45; ++day) {
    clock_.advance(one_day);
    look();
    look();
  }
  EXPECT_EQ(kinds(), (std::vector<std::string>{"key.expires-in-1-day", "key.expired", "key.expires-in-30-days",
                                               "key.expires-in-7-days", "key.expires-in-1-day", "key.expired"}));
}

TEST_F(Notices, OfAKeyThatIsDeletedDisabledOrProlongedDoNotCome) {
  look();
  AccessKey deleted = new_key(2 * one_day), disabled = new_key(2 * one_day), longer = new_key(2 * one_day);
  deleted.deleted = true;
  put(deleted, "delete");
  disabled.disabled = true;
  put(disabled, "update");
  longer.expires_at.reset();
  put(longer, "update");
  clock_.advance(3 * one_day);
  look();
  EXPECT_TRUE(kinds().empty());
}

TEST_F(Notices, AMakerThatWasKilledMakesNoneTwiceAndLosesNone) {
  look();
  AccessKey key = new_key(1 * one_day + std::chrono::hours(1));
  key.disabled = true;
  put(key, "disable");
  look();
  key.disabled = false;
  put(key, "enable");
  put(key, "rotate");
  clock_.advance(std::chrono::hours(2));
  NoticeMaker successor(store_, clock_), beside(store_, clock_);
  ASSERT_TRUE(successor.look());
  ASSERT_TRUE(beside.look());
  look();
  EXPECT_EQ(kinds(), (std::vector<std::string>{"key.disabled", "key.rotated", "key.expires-in-1-day"}));
}

TEST_F(Notices, ATargetThatIsDownForAnHourGetsAllInOrder) {
  look();
  auto sending = sender();
  sending.step();
  AccessKey key = new_key();
  const auto disable = [&] {
    key.disabled = !key.disabled;
    put(key, key.disabled ? "disable" : "enable");
    look();
  };
  down_ = true;
  std::chrono::milliseconds waited(0);
  while (waited < std::chrono::hours(1)) {
    disable();
    const auto pause = sending.step();
    EXPECT_LE(pause, NoticeSender::longest_pause);
    clock_.advance(pause);
    waited += pause;
  }
  EXPECT_LT(attempts_, 60) << "it is asked less and less";
  down_ = false;
  while (sending.step() == std::chrono::milliseconds(0)) {
  }
  const auto all = *store_.notices_after(0, 1000);
  ASSERT_EQ(taken_.size(), all.size());
  EXPECT_TRUE(std::is_sorted(taken_.begin(), taken_.end()));
}

TEST_F(Notices, OfTwoSendersOneSendsAndTheOtherTakesOverWhereItEnded) {
  look();
  auto one = sender("one"), two = sender("two");
  one.step();
  AccessKey key = new_key();
  key.disabled = true;
  put(key, "disable");
  look();
  one.step();
  EXPECT_EQ(taken_, std::vector<std::uint64_t>{1});
  put(key, "rotate");
  look();
  two.step();
  EXPECT_EQ(attempts_, 1) << "the first one has the lease";
  clock_.advance(std::chrono::milliseconds(NoticeSender::lease_ms + 1));
  two.step();
  EXPECT_EQ(taken_, (std::vector<std::uint64_t>{1, 2}));
  one.step();
  EXPECT_EQ(taken_.size(), 2U);
}

// As `printf %s "notice-7.1614265330.{}" | openssl dgst -sha256 -mac HMAC -macopt key:012345678901234567890123` says.
TEST(Webhook, IsSignedAsStandardWebhooksSay) {
  const auto key = parse_webhook_secret("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\n");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->reveal(), "012345678901234567890123");
  Notice notice;
  notice.id = 7;
  const auto headers = webhook_headers(notice, "{}", *key, UnixMillis{1614265330 * 1000LL});
  EXPECT_EQ(headers, (std::vector<std::string>{"webhook-id: notice-7", "webhook-timestamp: 1614265330",
                                               "webhook-signature: v1,LG86nBLcJJs0gzfP/4mKivmmPG7/WkBAZp3peTyr+co="}));
  for (const std::string_view wrong : {"", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "whsec_", "whsec_AAAA", "whsec_!!!!"}) {
    EXPECT_FALSE(parse_webhook_secret(wrong)) << wrong;
  }
}

TEST(Webhook, SaysWhatHappened) {
  Notice notice{42, "key.expired", UnixMillis{0}, std::nullopt, "al\"ice", 1000};
  EXPECT_EQ(webhook_body(notice),
            R"({"type":"key.expired","timestamp":"1970-01-01T00:00:00.000Z","data":{"noticeId":42,"keyId":null,)"
            R"("userId":"al\"ice","expiresAt":"1970-01-01T00:00:01.000Z"}})");
}

}  // namespace
}  // namespace latchkey::notices
