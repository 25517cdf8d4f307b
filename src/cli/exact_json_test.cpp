#include "cli/exact_json.hpp"

#include <gtest/gtest.h>

#include "cli/render.hpp"

namespace latchkey::cli {
namespace {

TEST(ExactJson, IsPrintedAsItCame) {
  for (const char* text : {R"({"a":1.0,"b":[1,1.10,-0,-0.0,1e2,1E+2,123456789012345678901,18446744073709551616]})",
                           R"([[1.0],{"n":{"m":[0.1,0.10]}},"1.0",null,true,{}])", "1.50", R"("text")", "{}", "[]",
                           R"({"0.1":{"x":[{"y":9007199254740993.0}]}})"}) {
    const auto value = parse_exactly(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(serialize_exactly(*value), text);
  }
}

TEST(ExactJson, IsWhatParseJsonMakesOfItWhereThatLosesNothing) {
  const auto value = parse_exactly(R"({"limit": 60, "share": 0.5, "name": "ÿ"})");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->at("limit").to_number<int>(), 60);
  EXPECT_EQ(serialize_exactly(*value), R"({"limit":60,"share":0.5,"name":"ÿ"})");
}

TEST(ExactJson, RefusesWhatParseJsonRefuses) {
  for (const char* text : {"", "{", "01", "1.", R"({"a":1,"a":2})", "\"\xff\"",
                           "\"\xff"
                           "1.0\""}) {
    EXPECT_FALSE(parse_exactly(text)) << text;
  }
}

TEST(ExactJson, IsShownToPeopleInTheSameWay) {
  const auto value = parse_exactly(R"({"metadata":{"x":1.0},"n":7.0})");
  EXPECT_EQ(render_value(value->at("metadata")), R"({"x":1.0})");
  EXPECT_EQ(render_value(value->at("n")), "7.0");
}

TEST(ExactJson, ShowsWhatWasTakenAFewLevelsDeeper) {
  const std::string deepest = std::string(15, '[') + "1.0" + std::string(15, ']');  // of a member of a body: 16 levels
  const std::string text = R"({"changes":[{"key":{"metadata":)" + deepest + "}}]}";
  const auto value = parse_exactly(text);
  ASSERT_TRUE(value);
  EXPECT_EQ(serialize_exactly(*value), text);
}

}  // namespace
}  // namespace latchkey::cli
