#include <gtest/gtest.h>

#include "base/json.hpp"
#include "base/printable.hpp"
#include "base/secret.hpp"
#include "base/time_text.hpp"

namespace latchkey {
namespace {

TEST(Printable, IsUtf8WithoutControlCharacters) {
  for (const std::string_view good :
       {"", "a", "\xc3\x9c", "\xe2\x82\xac", "\xed\x9f\xbf", "\xf0\x9f\x97\x9d", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_printable(good)) << good;
    EXPECT_EQ(printable(good), good);
  }
  struct Case {
    std::string_view bad, shown;
  };
  for (const auto& [bad, shown] : {Case{"\xff", "?"}, Case{"\x80z", "?z"}, Case{"a\xc3", "a?"}, Case{"\xc0\xaf", "??"},
                                   Case{"\xe0\x80\xaf", "???"}, Case{"\xed\xa0\x80", "???"},  // a surrogate
                                   Case{"\xf4\x90\x80\x80", "????"}, Case{"\xe2\x82z", "??z"}, Case{"\x1b[2J", "?[2J"},
                                   Case{"\xc2\x9bz", "?z"}, Case{"\x7f", "?"}}) {
    EXPECT_FALSE(is_printable(bad)) << shown;
    EXPECT_EQ(printable(bad), shown);
  }
}

TEST(TimeText, RoundTrips) {
  for (std::int64_t ms : {0LL, 1LL, 1'767'225'600'123LL, 253'402'300'799'999LL}) {
    EXPECT_EQ(parse_rfc3339(to_rfc3339({ms})), UnixMillis{ms}) << ms;
  }
  EXPECT_EQ(to_rfc3339({1'767'225'600'123}), "2026-01-01T00:00:00.123Z");
}

TEST(TimeText, AcceptsOffsetsAndFractions) {
  EXPECT_EQ(parse_rfc3339("2026-01-01T01:30:00+01:30"), UnixMillis{1'767'225'600'000});
  EXPECT_EQ(parse_rfc3339("2026-01-01t00:00:00.1239999z"), UnixMillis{1'767'225'600'123});
}

TEST(TimeText, RefusesWhatIsNotADateTime) {
  for (const char* text :
       {"", "2026", "2026-02-30T00:00:00Z", "2026-01-01", "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Z ", "1969-12-31T23:59:59Z",
        "2026-01-01 00:00:00Z", "2026-01-01T00:00:00+1:00", "1970-01-01T00:00:00+01:00", "+026-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(TimeText, Durations) {
  EXPECT_EQ(parse_duration("90s"), std::chrono::seconds(90));
  EXPECT_EQ(parse_duration("15m"), std::chrono::seconds(900));
  EXPECT_EQ(parse_duration("12h"), std::chrono::seconds(43'200));
  EXPECT_EQ(parse_duration("30d"), std::chrono::seconds(2'592'000));
  for (const char* text : {"", "s", "0s", "-1s", "+1s", "1", "1.5h", "1w", " 1s", "1s ", "999999999999d", "99999d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Json, RefusesWhatBoostLetsPass) {
  for (const char* text : {"", "{", "{\"a\":1,\"a\":2}", "{\"x\":{\"a\":1,\"\\u0061\":2}}", "1 2", "\"\xff\"", "nul",
                           "1e400", "0e1010", "[-1e999]", "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]"}) {
    EXPECT_FALSE(parse_json(text)) << text;
  }
  EXPECT_EQ(parse_json(R"( {"a":[1,{"b":null}]} )")->as_object().size(), 1U);
}

TEST(Json, PointersEscapeTheirOwnSigns) { EXPECT_EQ(json_pointer_to("a/b~c"), "/a~1b~0c"); }

TEST(Json, EscapesStrings) {
  std::string out;
  append_json_string(out, "a\"\\\n\x01z");
  EXPECT_EQ(out, R"("a\"\\\n\u0001z")");
}

TEST(Secret, ComparesByContent) {
  EXPECT_TRUE(Secret("abc") == Secret("abc"));
  EXPECT_FALSE(Secret("abc") == Secret("abd"));
  EXPECT_FALSE(Secret("abc") == Secret("abcd"));
}

}  // namespace
}  // namespace latchkey
