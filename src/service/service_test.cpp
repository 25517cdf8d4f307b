#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/in_memory.hpp"
#include "service/held_plan.hpp"
#include "service/media_type.hpp"
#include "service/query_reader.hpp"
#include "service/route.hpp"

namespace latchkey::service {
namespace {

using http::Method;
using testing::ElementsAre;

TEST(RouteTable, LeadsEachRequestToItsRow) {
  using Row = Route<const char*>;
  static constexpr auto table = std::to_array<Row>({{Method::get, "/one", Needs::nothing, "get"},
                                                    {Method::post, "/one", Needs::admin, "post"},
                                                    {Method::other, "/any", Needs::key, "any"},
                                                    {Method::other, "/any/*", Needs::permit, "below"}});
  http::Router router;
  add_routes(router, std::span<const Row>(table), [](const Row& row) {
    return [&row](http::Exchange& exchange) { exchange.answer(http::Answer{200, {}, {}, row.handler}); };
  });
  EXPECT_EQ(http::call(router, Method::get, "/one").body, "get");
  EXPECT_EQ(http::call(router, Method::post, "/one").body, "post");
  EXPECT_EQ(http::call(router, Method::patch, "/any").body, "any");
  EXPECT_EQ(http::call(router, Method::delete_, "/any/thing/else").body, "below");
  EXPECT_EQ(http::call(router, Method::put, "/one").status, 405);
}

TEST(QueryReader, CollectsAllThatIsWrong) {
  QueryReader reader("limit=0&name=a&name=b&x%20y=1&odd=2");
  EXPECT_EQ(reader.number("limit", 1, 500, 50), 50U);
  reader.text("name");
  const auto finished = reader.finish();
  ASSERT_FALSE(finished);
  std::vector<std::string> pointers;
  for (const auto& error : finished.error().fields) pointers.push_back(error.pointer);
  EXPECT_THAT(pointers, ElementsAre("/limit", "/name", "", "/odd"));
}

TEST(QueryReader, ReadsWhatCame) {
  QueryReader reader("limit=500&name=a%26b");
  EXPECT_EQ(reader.number("limit", 1, 500, 50), 500U);
  EXPECT_EQ(reader.text("name"), "a&b");
  EXPECT_EQ(reader.text("status"), std::nullopt);
  EXPECT_TRUE(reader.finish());
}

TEST(MediaTypes, AreReadWithTheirCharset) {
  const std::vector<std::pair<std::string_view, MediaType>> cases = {
      {"application/json", MediaType::json},
      {"Application/JSON ; charset=\"UTF-8\"", MediaType::json},
      {"application/json; charset=latin1", MediaType::other},
      {"application/merge-patch+json", MediaType::merge_patch},
      {"text/plain", MediaType::other},
  };
  for (const auto& [text, type] : cases) {
    const std::vector<http::Header> headers = {{"Content-Type", text}};
    http::Request request;
    request.headers = headers;
    EXPECT_EQ(media_type_of(request), type) << text;
  }
  EXPECT_EQ(media_type_of({}), MediaType::none);
  EXPECT_TRUE(is_json(MediaType::none, ""));
  EXPECT_FALSE(is_json(MediaType::none, "{}"));
  EXPECT_FALSE(is_json(MediaType::other, ""));
}

TEST(HeldPlan, SaysWhatIsLeftWhereItIsKnown) {
  HeldPlan plan{.key_id = {},
                .user_id = "a\"b",
                .requests_per_minute = 60,
                .expires_at = std::nullopt,
                .status = KeyStatus::active,
                .issued_at = {1},
                .position = {Epoch{0xc0ffee}, 7}};
  const auto text = [&] {
    JsonWriter out;
    write_members(out.begin_object(), plan);
    return out.end_object().take();
  };
  const std::string id = KeyId().to_string();
  EXPECT_EQ(text(), R"({"keyId":")" + id + R"(","userId":"a\"b","requestsPerMinute":60,"limits":[],"expiresAt":null,)" +
                        R"("status":"active","issuedAt":"1970-01-01T00:00:01.000Z","position":"0000000000c0ffee.7"})");
  plan.left = {59, 1};
  EXPECT_THAT(text(), testing::HasSubstr(R"("remaining":59,"resetSeconds":1,"position")"));
  plan.limits = {{per_minute_limit(60), HeldPlan::Left{59, 1}}};
  EXPECT_THAT(text(), testing::HasSubstr(R"("limits":[{"name":"per-minute",)"));
  EXPECT_THAT(text(), testing::HasSubstr(R"("remaining":59,"resetSeconds":1}],"expiresAt")"));
}

}  // namespace
}  // namespace latchkey::service
