#include "base/json_text.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace latchkey {
namespace {

TEST(JsonText, KeepsNumbersAsTheyWereSent) {
  for (const std::string_view text :
       {R"({"n":123456789012345678901234567890})", R"({"n":1.0})", R"({"n":1.10})", R"({"n":-0})", R"({"n":1E2})",
        R"({"n":0.1000000000000000055511151231257827})", "[]", "{}", R"([[],{},[{}],"",null,true,false,-0.0])"}) {
    ASSERT_TRUE(parse_json(text)) << text;
    EXPECT_EQ(compact_json(text), text);
    EXPECT_EQ(canonical_json(text), text);
  }
}

TEST(JsonText, DropsWhiteSpaceAndNeedlessEscapes) {
  const std::string_view text = " { \"a\\u0041\" : [ 1.0 ,\t\"x\\/ \\\"y\\n\" ] ,\r\n \"\" : { } } ";
  ASSERT_TRUE(parse_json(text));
  EXPECT_EQ(compact_json(text), R"({"aA":[1.0,"x/ \"y\n"],"":{}})");
}

TEST(JsonText, IsCanonicalWhateverTheOrderOfMembers) {
  const std::string one = canonical_json(R"({"b":{"y":[2,1],"x":1.50},"a":"A"})");
  EXPECT_EQ(one, canonical_json(R"( {"a":"\u0041" , "b":{"x":1.50,"y":[2,1]}})"));
  EXPECT_NE(one, canonical_json(R"({"a":"A","b":{"x":1.50,"y":[1,2]}})")) << "the order of an array counts";
  EXPECT_NE(one, canonical_json(R"({"a":"A","b":{"x":1.51,"y":[2,1]}})"));
}

TEST(JsonText, TakesAnObjectApartAndPutsItTogether) {
  const auto members = members_of(R"( {"a\"b": 1.0, "c": {"d": [ ]}})");
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].name, "a\"b");
  EXPECT_EQ(members[0].value, "1.0");
  EXPECT_EQ(members[1].value, R"({"d":[]})");
  EXPECT_EQ(object_of(members), R"({"a\"b":1.0,"c":{"d":[]}})");
  EXPECT_EQ(object_of({}), "{}");
}

TEST(JsonText, KnowsWholeNumbersExactly) {
  struct Case {
    std::string_view text;
    std::optional<std::int64_t> value;
  };
  for (const auto& [text, value] : {Case{"60", 60},
                                    {"60.0", 60},
                                    {"6e1", 60},
                                    {"6E+1", 60},
                                    {"600e-1", 60},
                                    {"0.06e3", 60},
                                    {"-6.0e1", -60},
                                    {"-0", 0},
                                    {"0.000e999999999999999999999", 0},
                                    {"0.99999999999999999999", std::nullopt},
                                    {"1.00000000000000000001", std::nullopt},
                                    {"59.5", std::nullopt},
                                    {"6e-1", std::nullopt},
                                    {"1e-999999999999999999999", std::nullopt},
                                    {"9223372036854775807", INT64_MAX},
                                    {"9223372036854775808", INT64_MAX},
                                    {"-9223372036854775808.0", INT64_MIN},
                                    {"-9223372036854775809", INT64_MIN},
                                    {"1e300", INT64_MAX},
                                    {"-1e300", INT64_MIN}}) {
    EXPECT_EQ(whole_number_of(text), value) << text;
  }
}

}  // namespace
}  // namespace latchkey
