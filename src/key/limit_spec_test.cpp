#include "key/limit_spec.hpp"

#include <gtest/gtest.h>

#include <map>

namespace latchkey {
namespace {

TEST(LimitSpec, ReadsBothKindsAndWritesEachInOneForm) {
  const std::map<std::string, std::string> written = {
      {"[]", "[]"},
      {R"([{"name":"per-minute","requests":60,"window":"60s"}])",
       R"([{"name":"per-minute","requests":60,"window":"60s","per":"key","mode":"enforce"}])"},
      {R"([{"mode":"observe","per":"user","window":"60m","requests":6e1,"name":"a"}])",
       R"([{"name":"a","requests":60,"window":"1h","per":"user","mode":"observe"}])"},
      {R"([{"name":"m","requests":1000000000,"period":"month","timeZone":"Europe/Berlin","anchorDay":31}])",
       R"([{"name":"m","requests":1000000000,"period":"month","timeZone":"Europe/Berlin","anchorDay":31,"per":"key","mode":"enforce"}])"},
      {R"([{"name":"w","requests":1.0,"period":"week"},{"name":"d","requests":1,"period":"day"}])",
       R"([{"name":"w","requests":1,"period":"week","timeZone":"UTC","anchorDay":1,"per":"key","mode":"enforce"},)"
       R"({"name":"d","requests":1,"period":"day","timeZone":"UTC","per":"key","mode":"enforce"}])"},
  };
  for (const auto& [sent, expected] : written) {
    const auto limits = parse_limits(sent);
    ASSERT_TRUE(limits) << sent;
    EXPECT_EQ(to_json(std::span(*limits)), expected);
    EXPECT_EQ(*parse_limits(expected), *limits);
  }
}

TEST(LimitSpec, SaysWhereAListIsWrong) {
  const std::string good = R"("name":"a","requests":1,"window":"1s")";
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"{}", ""},
      {"[1]", "/0"},
      {"[{}]", "/0/name /0/requests /0/window"},
      {R"([{"name":"A","requests":1,"window":"1s"}])", "/0/name"},
      {R"([{"name":"","requests":1,"window":"1s"}])", "/0/name"},
      {R"([{"name":"abcdefghijklmnopqrstuvwxyz0123456","requests":1,"window":"1s"}])", "/0/name"},
      {R"([{"name":7,"requests":1,"window":"1s"}])", "/0/name"},
      {R"([{"name":"a","requests":0,"window":"1s"}])", "/0/requests"},
      {R"([{"name":"a","requests":1000000001,"window":"1s"}])", "/0/requests"},
      {R"([{"name":"a","requests":1.5,"window":"1s"}])", "/0/requests"},
      {R"([{"name":"a","requests":"1","window":"1s"}])", "/0/requests"},
      {R"([{"name":"a","requests":18446744073709551615,"window":"1s"}])", "/0/requests"},
      {R"([{"name":"a","requests":1,"window":"0s"}])", "/0/window"},
      {R"([{"name":"a","requests":1,"window":"25h"}])", "/0/window"},
      {R"([{"name":"a","requests":1,"window":"2d"}])", "/0/window"},
      {R"([{"name":"a","requests":1,"window":60}])", "/0/window"},
      {R"([{"name":"a","requests":1,"window":"1s","timeZone":"UTC"}])", "/0/timeZone"},
      {R"([{"name":"a","requests":1,"window":"1s","anchorDay":1}])", "/0/anchorDay"},
      {R"([{"name":"a","requests":1,"window":"1s","period":"day"}])", "/0/period"},
      {R"([{"name":"a","requests":1,"period":"year"}])", "/0/period"},
      {R"([{"name":"a","requests":1,"period":"day","anchorDay":1}])", "/0/anchorDay"},
      {R"([{"name":"a","requests":1,"period":"week","anchorDay":8}])", "/0/anchorDay"},
      {R"([{"name":"a","requests":1,"period":"month","anchorDay":32}])", "/0/anchorDay"},
      {R"([{"name":"a","requests":1,"period":"month","anchorDay":0}])", "/0/anchorDay"},
      {R"([{"name":"a","requests":1,"period":"day","timeZone":"../etc/passwd"}])", "/0/timeZone"},
      {R"([{"name":"a","requests":1,"period":"day","timeZone":"/UTC"}])", "/0/timeZone"},
      {R"([{"name":"a","requests":1,"period":"day","timeZone":""}])", "/0/timeZone"},
      {"[{" + good + R"(,"per":"plan"}])", "/0/per"},
      {"[{" + good + R"(,"mode":null}])", "/0/mode"},
      {"[{" + good + R"(,"burst":1}])", "/0/burst"},
      {"[{" + good + "},{" + good + "}]", "/1/name"},
  };
  for (const auto& [sent, expected] : wrong) {
    const auto limits = parse_limits(sent);
    ASSERT_FALSE(limits) << sent;
    std::string pointers;
    for (const auto& field : limits.error().fields) pointers += (pointers.empty() ? "" : " ") + field.pointer;
    EXPECT_EQ(pointers, expected) << sent;
  }
}

TEST(LimitSpec, AListIsBounded) {
  std::string nine = "[";
  for (int i = 0; i < 9; ++i) {
    nine += (i == 0 ? "" : ",") + std::string(R"({"name":"l)") + std::to_string(i) + R"(","requests":1,"window":"1s"})";
  }
  EXPECT_EQ(parse_limits(nine + "]").error().fields.front().detail, "must have at most 8 limits");
  EXPECT_FALSE(parse_limits(std::string(max_limits_text_bytes + 1, ' ')));
}

TEST(LimitSpec, TheLongestListFitsItsBound) {
  LimitList limits;
  for (char c = 'a'; limits.size() < max_limits; ++c) {
    limits.push_back({std::string(max_limit_name_bytes, c), static_cast<std::uint32_t>(max_limit_requests),
                      LimitPeriod{PeriodUnit::month, std::string(max_time_zone_bytes, 'Z'), 31}, LimitPer::user,
                      LimitMode::observe});
  }
  const std::string text = to_json(std::span(limits));
  EXPECT_LE(text.size(), max_limits_bytes);
  EXPECT_EQ(*parse_limits(text), limits);
}

TEST(LimitSpec, TheShorthandIsOneLimitAndNoOther) {
  EXPECT_EQ(to_json(per_minute_limit(60)),
            R"({"name":"per-minute","requests":60,"window":"60s","per":"key","mode":"enforce"})");
  EXPECT_EQ(as_requests_per_minute(per_minute_limit(1'000'000)), 1'000'000U);
  EXPECT_EQ(as_requests_per_minute(per_minute_limit(1'000'001)), std::nullopt);
  for (auto change : std::vector<void (*)(LimitSpec&)>{[](LimitSpec& limit) { limit.name = "minute"; },
                                                       [](LimitSpec& limit) { limit.span = LimitWindow{61}; },
                                                       [](LimitSpec& limit) { limit.per = LimitPer::user; },
                                                       [](LimitSpec& limit) { limit.mode = LimitMode::observe; }}) {
    auto limit = per_minute_limit(60);
    change(limit);
    EXPECT_EQ(as_requests_per_minute(limit), std::nullopt);
  }
}

TEST(LimitSpec, OnlyRequestsAndModeKeepTheCount) {
  const auto before = per_minute_limit(60);
  auto after = per_minute_limit(5);
  after.mode = LimitMode::observe;
  EXPECT_TRUE(keeps_count(before, after));
  after.span = LimitWindow{30};
  EXPECT_FALSE(keeps_count(before, after));
  after = before;
  after.per = LimitPer::user;
  EXPECT_FALSE(keeps_count(before, after));
}

}  // namespace
}  // namespace latchkey
