#include "base/json_writer.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace latchkey {
namespace {

TEST(JsonWriter, PutsCommasBetweenAndNowhereElse) {
  JsonWriter out;
  out.begin_object().member("a", 1).name("b").begin_array().end_array().name("c").begin_object().end_object();
  out.name("d").begin_array().value(1).value("x").begin_object().member("e", 2).end_object().value(true).end_array();
  out.member("f", false).end_object();
  EXPECT_EQ(out.take(), R"({"a":1,"b":[],"c":{},"d":[1,"x",{"e":2},true],"f":false})");
}

TEST(JsonWriter, EachKindOfValue) {
  JsonWriter out;
  out.begin_array().value(nullptr).value(std::optional<int>()).value(std::optional<int>(-7)).value(UINT64_MAX);
  out.value(INT64_MIN).value(std::string("text")).value(JsonText{R"({"raw":1.0})"}).value(UnixMillis{0});
  out.value(std::optional<std::string>("some")).end_array();
  EXPECT_EQ(out.take(), R"([null,null,-7,18446744073709551615,-9223372036854775808,"text",{"raw":1.0},)"
                        R"("1970-01-01T00:00:00.000Z","some"])");
}

TEST(JsonWriter, EscapesNamesAndTexts) {
  const std::string odd = "\" \\ \n \x01 \xc3\xa9";
  JsonWriter out;
  out.begin_object().member(odd, odd).end_object();
  const auto read = parse_json(out.take()).value();
  EXPECT_EQ(read.as_object().begin()->key(), odd);
  EXPECT_EQ(read.as_object().begin()->value().as_string(), odd);
}

TEST(JsonWriter, IsEmptyOnceItsTextWasTaken) {
  JsonWriter out;
  out.value(1);
  EXPECT_EQ(out.take(), "1");
  out.value(2);
  EXPECT_EQ(out.take(), "2");
}

}  // namespace
}  // namespace latchkey
