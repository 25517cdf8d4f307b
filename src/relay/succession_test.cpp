// Relays on both sides of a promotion, over a real Redis.

#include "relay/succession.hpp"

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "redis/testing/test_server.hpp"
#include "relay/redis/redis_stream.hpp"
#include "relay/redis/timelines.hpp"

namespace latchkey::relay {
namespace {

class Succession : public testing::Test {
 protected:
  /// The stream of a relay that reads a store of this timeline.
  std::unique_ptr<SucceedingStream> on(const std::uint64_t& timeline, const std::string& system = "7001") {
    auto timelines = std::make_shared<RedisTimelines>(redis_.address(), clock_);
    return std::make_unique<SucceedingStream>(
        std::make_unique<RedisStream>(redis_.address(), clock_),
        [&timeline, system]() -> Result<std::optional<Lineage>> {
          return std::optional(Lineage{system, timeline});
        },
        [timelines](const Lineage& own) { return timelines->claim(own); });
  }
  static Result<Published> begin(Stream& stream, const std::string& life, Epoch epoch) {
    const Snapshot snapshot{"snapshot-" + life, {{epoch, 0}, 0}, 1};
    if (auto written = stream.write_chunk({snapshot.name, snapshot.end, 0}, "rows"); !written) return written.error();
    return stream.begin(snapshot, {life, snapshot.end, true});
  }
  static std::string life_at(Stream& stream) {
    const auto life = stream.look();
    if (!life) return "error";
    return *life ? (*life)->id : "none";
  }

  SystemClock clock_;
  redis::TestServer redis_;
  std::uint64_t old_timeline_ = 1;
  std::uint64_t new_timeline_ = 2;
};

TEST_F(Succession, TheHigherTimelineEndsTheLifeOfTheLowerThoughThatTicks) {
  const auto old_relay = on(old_timeline_);
  ASSERT_EQ(begin(*old_relay, "aaaa", {1}).value(), Published::done);
  ASSERT_TRUE(old_relay->tick("aaaa", {1}).value());
  const auto new_relay = on(new_timeline_);
  EXPECT_EQ(life_at(*new_relay), "none");
  ASSERT_EQ(begin(*new_relay, "bbbb", {2}).value(), Published::done);
  EXPECT_EQ(life_at(*new_relay), "bbbb") << "it ends the predecessor's only";
  EXPECT_FALSE(old_relay->tick("aaaa", {1}));
  EXPECT_FALSE(begin(*old_relay, "cccc", {1}));
  EXPECT_FALSE(old_relay->look());
  EXPECT_TRUE(new_relay->tick("bbbb", {2}).value());
}

TEST_F(Succession, TheLowerOneStaysOutThoughNobodyElseIsThere) {
  EXPECT_EQ(life_at(*on(new_timeline_)), "none");
  const auto old_relay = on(old_timeline_);
  EXPECT_FALSE(begin(*old_relay, "aaaa", {1}));
  redis_.run({"HDEL", "latchkey:{feed}:timelines", "7001"});
  EXPECT_EQ(begin(*old_relay, "aaaa", {1}).value(), Published::done) << "an operator can take it back";
}

TEST_F(Succession, ARelayWhoseOwnStoreIsPromotedGoesOn) {
  std::uint64_t timeline = 1;
  const auto relay = on(timeline);
  ASSERT_EQ(begin(*relay, "aaaa", {1}).value(), Published::done);
  timeline = 2;
  EXPECT_TRUE(relay->tick("aaaa", {1}));
  EXPECT_EQ(life_at(*relay), "none");
  EXPECT_EQ(begin(*relay, "bbbb", {2}).value(), Published::done);
  EXPECT_EQ(life_at(*relay), "bbbb");
}

TEST_F(Succession, TimelinesOfOtherSystemsAreNotCompared) {
  const auto one = on(new_timeline_);
  ASSERT_EQ(begin(*one, "aaaa", {1}).value(), Published::done);
  const auto other = on(old_timeline_, "7002");
  EXPECT_EQ(life_at(*other), "aaaa");
  EXPECT_TRUE(one->tick("aaaa", {1}).value());
}

TEST_F(Succession, TwoRelaysOfOneTimelineRunSideBySide) {
  const auto one = on(old_timeline_);
  const auto two = on(old_timeline_);
  ASSERT_EQ(begin(*one, "aaaa", {1}).value(), Published::done);
  EXPECT_EQ(life_at(*two), "aaaa");
  EXPECT_TRUE(one->tick("aaaa", {1}).value());
  EXPECT_TRUE(two->tick("aaaa", {1}).value());
}

}  // namespace
}  // namespace latchkey::relay
