#include "keys_service/usage_query.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"
#include "base/time_text.hpp"

namespace latchkey::keys_service {
namespace {

using usage::GroupBy;
using usage::Resolution;

constexpr UnixMillis asked_at{1'790'078'430'500};  // 2026-09-22T12:00:30.500Z

TEST(UsageQuery, WithoutParametersItIsTheLastDayByTheMinute) {
  const auto query = parse_usage_query("", UsageOf::anyone, asked_at).value();
  EXPECT_EQ(to_rfc3339(query.from), "2026-09-21T12:00:00.000Z");
  EXPECT_EQ(to_rfc3339(query.to), "2026-09-22T12:01:00.000Z");
  EXPECT_EQ(query.resolution, Resolution::minute);
  EXPECT_EQ(query.group_by, GroupBy::nothing);
}

TEST(UsageQuery, TimesAreWidenedToWholeSteps) {
  const auto query =
      parse_usage_query("from=2026-09-01T10:30:00Z&to=2026-09-03T00:00:01Z&resolution=day", UsageOf::anyone, asked_at)
          .value();
  EXPECT_EQ(to_rfc3339(query.from), "2026-09-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(query.to), "2026-09-04T00:00:00.000Z");
}

TEST(UsageQuery, ItsFinestResolutionMakesNoMoreThan1500Points) {
  for (const auto& [hours, resolution] :
       {std::pair{1, Resolution::minute}, std::pair{24, Resolution::minute}, std::pair{26, Resolution::hour},
        std::pair{1499, Resolution::hour}, std::pair{1501, Resolution::day}}) {
    const auto from = to_rfc3339({asked_at.count - hours * 3'600'000LL});
    EXPECT_EQ(parse_usage_query("from=" + from, UsageOf::anyone, asked_at).value().resolution, resolution) << hours;
  }
  EXPECT_FALSE(parse_usage_query("from=2026-09-01T00:00:00Z&resolution=minute", UsageOf::anyone, asked_at));
}

TEST(UsageQuery, AHolderAsksForTheOwnKeyOnly) {
  EXPECT_TRUE(parse_usage_query("resolution=hour", UsageOf::one_key, asked_at));
  for (const char* query :
       {"userId=a", "plan=a", "groupBy=key", "top=1", "keyId=0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d"}) {
    EXPECT_FALSE(parse_usage_query(query, UsageOf::one_key, asked_at)) << query;
  }
}

TEST(UsageQuery, AnAnswerHasTheMembersOfTheContract) {
  usage::Answer answer{.query = {.from = asked_at, .to = asked_at, .resolution = Resolution::hour}, .complete_until = asked_at};
  answer.series.push_back(
      {std::nullopt, {{asked_at, {.admitted = 2, .limited = 1, .refused = {{"expired", 3}}, .cost = 4}}}});
  EXPECT_EQ(to_json(answer),
            R"({"from":"2026-09-22T12:00:30.500Z","to":"2026-09-22T12:00:30.500Z","resolution":"hour",)"
            R"("resolutionKept":"minute","completeUntil":"2026-09-22T12:00:30.500Z","series":[{"group":null,"points":[)"
            R"({"time":"2026-09-22T12:00:30.500Z","admitted":2,"limited":1,"wouldLimit":0,"refused":{"expired":3},)"
            R"("cost":4}]}],"total":{"admitted":0,"limited":0,"wouldLimit":0,"refused":{},"cost":0}})");
}

}  // namespace
}  // namespace latchkey::keys_service
