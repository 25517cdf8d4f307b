#include "usage/testing/usage_suite.hpp"

#include <gmock/gmock.h>

#include <thread>

namespace latchkey::usage {
namespace {

constexpr std::int64_t hour = 3'600'000;
/// A writer's name is 32 hex digits.
std::string name_of(const std::string& letter) { return std::string(32, letter.front()); }
UnixMillis after(UnixMillis time, std::int64_t millis) { return {time.count + millis}; }

}  // namespace

void UsageSuite::write(const Batch& batch) {
  if (!sink_) restart();
  if (!reader_) reader_ = std::make_unique<UsageReader>(world_->open_for_reading(), world_->open_for_reading());
  for (int i = 0; i < 3000; ++i) {
    const auto done = sink_->write(pack(batch));
    if (done && *done) return;
    if (i == 2999) FAIL() << (done ? "under way" : done.error().detail + " " + done.error().internal);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void UsageSuite::write(std::uint64_t seq, std::vector<Row> rows, const std::string& writer) {
  write(Batch{.writer = writer, .seq = seq, .covered_until = clock_.wall(), .rows = std::move(rows)});
}

Answer UsageSuite::read(Query query) {
  if (!reader_) reader_ = std::make_unique<UsageReader>(world_->open_for_reading(), world_->open_for_reading());
  if (query.to == UnixMillis{}) {
    query.from = after(noon, -24 * hour);
    query.to = after(noon, 24 * hour);
  }
  return reader_->read(query, clock_.wall()).value();
}

KeyId UsageSuite::key(unsigned number) {
  return *KeyId::parse("0198b2c4-7d3e-7a61-9c55-0000" + std::to_string(10'000'000 + number));
}

Row UsageSuite::row(unsigned number, std::string user, std::uint64_t count, UnixMillis time, std::string outcome,
                    std::string plan) {
  const bool is_admitted = outcome == admitted_name;
  return {.key = number == 0 ? KeyId() : key(number),
          .user_id = std::move(user),
          .plan = std::move(plan),
          .outcome = std::move(outcome),
          .minute = time.count / 60'000,
          .count = count,
          .cost = is_admitted ? 2 * count : 0,
          .last_use = is_admitted ? std::optional(time) : std::nullopt};
}

TEST_P(UsageSuite, WhereNothingWasWrittenEverythingIsNothing) {
  const auto answer = read({});
  ASSERT_EQ(answer.series.size(), 1U);
  EXPECT_TRUE(answer.series[0].points.empty());
  EXPECT_EQ(answer.total, Counts());
  const std::array keys{key(1)};
  EXPECT_TRUE(reader_->last_uses(keys).value().empty());
  EXPECT_FALSE(reader_->find_refusal("r").value());
  EXPECT_TRUE(read({.group_by = GroupBy::key}).series.empty());
}

TEST_P(UsageSuite, SumsByKeyUserPlanAndOutcomeAreWhatWasWritten) {
  write(1, {row(1, "alice", 10, noon, "admitted", "pro"), row(1, "alice", 3, noon, "rate-limited", "pro"),
            row(1, "alice", 2, after(noon, 60'000)), row(2, "alice", 5), row(3, "bob", 7, noon, "quota-exceeded"),
            row(3, "bob", 4, noon, "would-limit"), row(0, "", 9, noon, "no-credentials")});
  EXPECT_EQ(read({}).total,
            (Counts{.admitted = 17, .limited = 10, .would_limit = 4, .refused = {{"no-credentials", 9}}, .cost = 34}));
  EXPECT_EQ(read({.key = key(1)}).total, (Counts{.admitted = 12, .limited = 3, .refused = {}, .cost = 24}));
  EXPECT_EQ(read({.user = "alice"}).total.admitted, 17U);
  EXPECT_EQ(read({.plan = "pro"}).total, (Counts{.admitted = 10, .limited = 3, .refused = {}, .cost = 20}));

  const auto by_user = read({.group_by = GroupBy::user});
  ASSERT_EQ(by_user.series.size(), 3U);
  EXPECT_EQ(by_user.series[0].group, "alice");
  EXPECT_EQ(by_user.series[0].points.at(noon).admitted, 15U);
  EXPECT_EQ(by_user.series[0].points.at(after(noon, 60'000)).admitted, 2U);
  EXPECT_EQ(by_user.series[1].group, std::nullopt) << "no user: 9 refusals, before the 7 of bob";
  EXPECT_EQ(by_user.total, read({}).total);

  const auto by_outcome = read({.group_by = GroupBy::outcome});
  std::vector<std::string> outcomes;
  for (const auto& series : by_outcome.series) outcomes.push_back(series.group.value_or(""));
  EXPECT_THAT(outcomes, testing::UnorderedElementsAre("admitted", "rate-limited", "quota-exceeded", "would-limit",
                                                      "no-credentials"));
  const auto by_plan = read({.group_by = GroupBy::plan});
  ASSERT_EQ(by_plan.series.size(), 2U);
  EXPECT_EQ(by_plan.series[0].group, std::nullopt);
  EXPECT_EQ(by_plan.series[1].group, "pro");
}

TEST_P(UsageSuite, MinutesHoursAndDaysAgree) {
  write(1, {row(1, "alice", 1), row(1, "alice", 2, after(noon, 59 * 60'000)), row(1, "alice", 4, after(noon, 2 * hour)),
            row(1, "alice", 8, after(noon, 13 * hour))});
  for (const auto& [resolution, points] :
       {std::pair{Resolution::minute, 4U}, std::pair{Resolution::hour, 3U}, std::pair{Resolution::day, 2U}}) {
    const auto answer =
        read({.from = {noon.count - 12 * hour}, .to = {noon.count + 36 * hour}, .resolution = resolution});
    EXPECT_EQ(answer.series[0].points.size(), points);
    EXPECT_EQ(answer.total.admitted, 15U);
  }
  const auto hours = read({.from = noon, .to = after(noon, 3 * hour), .resolution = Resolution::hour}).series[0].points;
  EXPECT_EQ(hours.at(noon).admitted, 3U);
  EXPECT_EQ(hours.at(after(noon, 2 * hour)).admitted, 4U);
}

TEST_P(UsageSuite, ABatchCountsOnceHoweverOftenItComes) {
  write(1, {row(1, "alice", 10)});
  write(1, {row(1, "alice", 10)});
  write(2, {row(1, "alice", 1)});
  restart();
  write(2, {row(1, "alice", 1)});
  write(1, {row(1, "alice", 10)});
  write(1, {row(1, "alice", 100)}, name_of("b"));
  EXPECT_EQ(read({}).total.admitted, 111U);
}

TEST_P(UsageSuite, ItSaysUntilWhenItIsComplete) {
  const auto at = [&](const std::string& writer, std::uint64_t seq, std::int64_t millis, bool ended) {
    write(Batch{.writer = name_of(writer), .seq = seq, .covered_until = after(noon, millis), .ended = ended});
  };
  clock_.advance(std::chrono::minutes(10));
  const Query day{.from = after(noon, -12 * hour), .to = after(noon, 12 * hour), .resolution = Resolution::hour};
  EXPECT_EQ(read(day).complete_until, clock_.wall()) << "no replica, no request";
  at("a", 1, 500'000, false);
  at("b", 1, 510'000, false);
  EXPECT_EQ(read(day).complete_until, after(noon, 500'000));
  at("a", 2, 520'000, true);
  EXPECT_EQ(read(day).complete_until, after(noon, 510'000)) << "a has ended, and said all";
  at("c", 1, 510'000 + 1'000'000, false);
  EXPECT_EQ(read(day).complete_until, after(noon, 510'000)) << "b was killed: what it admitted last is missing";
  const Query later{.from = after(noon, 540'000), .to = after(noon, hour)};
  EXPECT_EQ(read(later).complete_until, clock_.wall()) << "that is no matter of what came later";
}

TEST_P(UsageSuite, TheLastUseIsTheLatest) {
  Row first = row(1, "alice", 1, noon);
  first.address = AddressPrefix::of(*IpAddress::parse("10.1.2.3"));
  Row later = row(1, "alice", 1, after(noon, 5));
  later.address = AddressPrefix::of(*IpAddress::parse("2001:db8::1"));
  write(1, {later});
  write(2, {first, row(2, "bob", 1, noon, "key-disabled")});
  const std::array keys{key(1), key(2), key(3)};
  const auto uses = reader_->last_uses(keys).value();
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses.at(key(1)).time, after(noon, 5));
  EXPECT_EQ(uses.at(key(1)).network, "2001:db8::/48");
}

TEST_P(UsageSuite, MinutesGoBeforeHoursAndTheAnswerTells) {
  write(1, {row(1, "alice", 1, after(noon, -60 * hour)), row(1, "alice", 2)});
  clock_.advance(std::chrono::minutes(2));
  write(2, {row(1, "alice", 4)});
  const Query three_days{.from = after(noon, -72 * hour), .to = after(noon, hour), .resolution = Resolution::minute};
  const auto answer = read(three_days);
  EXPECT_EQ(answer.kept, Resolution::hour);
  EXPECT_EQ(answer.query.resolution, Resolution::hour);
  EXPECT_EQ(answer.total.admitted, 7U);
  EXPECT_EQ(read({.from = noon, .to = after(noon, hour)}).kept, Resolution::minute);
}

TEST_P(UsageSuite, PastItsSizeTheOldestMinutesGoFirst) {
  restart({.max_bytes = 1});
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < 20; ++i) rows.push_back(row(1, "alice", 1, after(noon, (i - 20) * hour)));
  write(1, std::move(rows));
  clock_.advance(std::chrono::minutes(2));
  write(2, {});
  const Query all{.from = after(noon, -24 * hour), .to = after(noon, hour), .resolution = Resolution::minute};
  EXPECT_EQ(read(all).kept, Resolution::hour);
  EXPECT_EQ(read(all).total.admitted, 20U);
}

TEST_P(UsageSuite, MoreThanAHundredSeriesAreRefusedAndTheTopAreGiven) {
  std::vector<Row> rows;
  for (unsigned i = 1; i <= 101; ++i) rows.push_back(row(i, "user " + std::to_string(i), i));
  write(1, std::move(rows));
  const Query by_key{.from = noon, .to = after(noon, hour), .group_by = GroupBy::key};
  const auto refused = reader_->read(by_key, clock_.wall());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  Query top = by_key;
  top.top = 2;
  const auto answer = read(top);
  ASSERT_EQ(answer.series.size(), 2U);
  EXPECT_EQ(answer.series[0].group, key(101).to_string());
  EXPECT_EQ(answer.series[1].group, key(100).to_string());
  EXPECT_EQ(answer.total.admitted, 101U * 102 / 2) << "of all";
}

TEST_P(UsageSuite, RefusalsAreKeptForADayAndNotMoreThanSoMany) {
  restart({.refusals_a_writer = 3});
  const Refusal refusal{.id = {"r1"},
                        .time = noon,
                        .key = key(1),
                        .reason = {"rate-limited"},
                        .limit = {"per-minute"},
                        .rule = {"reports"},
                        .position = {"00c0ffee00c0ffee.42"},
                        .network = {"10.0.0.0/24"},
                        .sampled = true};
  write(Batch{.writer = name_of("a"), .seq = 1, .covered_until = noon, .refusals = {refusal}});
  const auto found = reader_->find_refusal("r1").value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key, key(1));
  EXPECT_EQ(found->reason.text(), "rate-limited");
  EXPECT_EQ(found->limit.text(), "per-minute");
  EXPECT_EQ(found->rule.text(), "reports");
  EXPECT_EQ(found->position.text(), "00c0ffee00c0ffee.42");
  EXPECT_EQ(found->network.text(), "10.0.0.0/24");
  EXPECT_TRUE(found->sampled);
  Batch more{.writer = name_of("a"), .seq = 2, .covered_until = noon};
  for (int i = 2; i <= 4; ++i) {
    more.refusals.push_back({.id = {"r" + std::to_string(i)}, .time = after(noon, i), .key = key(1)});
  }
  clock_.advance(std::chrono::minutes(2));
  write(more);
  EXPECT_FALSE(reader_->find_refusal("r1").value()) << "the oldest of four, and three are kept";
  EXPECT_TRUE(reader_->find_refusal("r4").value());
  clock_.advance(std::chrono::hours(25));
  write(3, {});
  EXPECT_FALSE(reader_->find_refusal("r4").value());
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(UsageSuite);

}  // namespace latchkey::usage
