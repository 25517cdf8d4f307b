#include "cli/limit_options.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace latchkey::cli {
namespace {

TEST(LimitOptions, OneTextIsOneLimit) {
  struct Case {
    std::string_view text, limit;
  };
  for (
      const auto& [text, limit] : {
          Case{"burst=10/1s", R"({"name":"burst","requests":10,"window":"1s"})"},
          Case{"daily=5000/day,user", R"({"name":"daily","requests":5000,"period":"day","per":"user"})"},
          Case{
              "m=1/month,zone=Europe/Berlin,anchor=15,observe",
              R"({"name":"m","requests":1,"period":"month","timeZone":"Europe/Berlin","anchorDay":15,"mode":"observe"})"},
      }) {
    const auto read = limit_of(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(json::serialize(*read), limit);
  }
  for (const std::string_view text : {"", "daily", "daily=", "daily=5", "daily=5/", "daily=x/day", "daily=5x/day",
                                      "daily=5/day,users", "daily=5/day,anchor=x", "daily=5/day,anchor"}) {
    const auto read = limit_of(text);
    EXPECT_FALSE(read) << text;
  }
}

TEST(LimitOptions, AKeySaysLimitsInOneWay) {
  json::object body;
  EXPECT_TRUE(put_key_limits(body, {.requests_per_minute = 5, .json = {}, .limits = {}}, false));
  EXPECT_EQ(json::serialize(body), R"({"requestsPerMinute":5})");
  body.clear();
  EXPECT_TRUE(put_key_limits(body, {.requests_per_minute = 5, .json = {}, .limits = {"d=1/day"}}, false));
  EXPECT_EQ(body.at("limits").as_array().size(), 2U);
  EXPECT_FALSE(body.contains("requestsPerMinute"));
  body.clear();
  EXPECT_FALSE(put_key_limits(body, {.requests_per_minute = 5, .json = {}, .limits = {}}, true));
  EXPECT_TRUE(put_key_limits(body, {.requests_per_minute = {}, .json = {}, .limits = {""}}, false));
  EXPECT_TRUE(body.at("limits").is_null());
}

}  // namespace
}  // namespace latchkey::cli
