#include "http/cors.hpp"

#include <gtest/gtest.h>

#include "http/in_memory.hpp"
#include "http/router.hpp"

namespace latchkey::http {
namespace {

class CorsTest : public ::testing::Test {
 protected:
  CorsTest() {
    router_.on(Method::get, "/now", [](Exchange& e) { e.answer(json_response(200, "{}")); });
    router_.on(Method::post, "/later", [](Exchange& e) { e.defer().answer(json_response(201, "{}")); });
    router_.on(Method::get, "/stream", [](Exchange& e) {
      const auto stream = e.defer().stream({200, "text/event-stream", "", ""});
      stream->write("x");
    });
  }
  Reply ask(Method method, std::string_view target, std::vector<Header> headers) {
    return call(cors_, method, target, headers);
  }

  Router router_;
  Cors cors_{{{"https://console.example", "http://localhost:5173"}, "Authorization, Content-Type", "ETag"}, router_};
};

TEST_F(CorsTest, LetsAListedOriginRead) {
  for (const std::string_view origin : {"https://console.example", "http://localhost:5173"}) {
    for (const auto& [method, path] : std::vector<std::pair<Method, std::string_view>>{
             {Method::get, "/now"}, {Method::post, "/later"}, {Method::get, "/stream"}, {Method::get, "/unknown"}}) {
      const auto reply = ask(method, path, {{"Origin", origin}});
      EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), origin) << path;
      EXPECT_EQ(reply.header("Access-Control-Expose-Headers"), "ETag") << path;
      EXPECT_EQ(reply.header("Vary"), "Origin") << path;
      EXPECT_EQ(reply.header("Access-Control-Allow-Credentials"), "") << path;
    }
  }
}

TEST_F(CorsTest, AnswersItsPreflight) {
  const auto reply = ask(Method::options, "/later",
                         {{"Origin", "https://console.example"}, {"Access-Control-Request-Method", "POST"}});
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), "https://console.example");
  EXPECT_EQ(reply.header("Access-Control-Allow-Headers"), "Authorization, Content-Type");
  EXPECT_NE(reply.header("Access-Control-Allow-Methods").find("PATCH"), std::string::npos);
}

TEST_F(CorsTest, IsNotThereForOthers) {
  for (const std::vector<Header>& headers :
       std::vector<std::vector<Header>>{{},
                                        {{"Origin", "https://evil.example"}},
                                        {{"Origin", "https://console.example.evil.example"}},
                                        {{"Origin", "HTTPS://console.example"}},
                                        {{"Origin", "null"}},
                                        {{"Origin", ""}},
                                        {{"Origin", "https://console.example"}, {"Origin", "https://evil.example"}}}) {
    auto reply = ask(Method::get, "/now", headers);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), "");
    EXPECT_EQ(reply.header("Vary"), "Origin");
    std::vector<Header> preflight = headers;
    preflight.push_back({"Access-Control-Request-Method", "POST"});
    reply = ask(Method::options, "/later", preflight);
    EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), "");
    EXPECT_EQ(reply.header("Access-Control-Allow-Methods"), "");
  }
}

TEST_F(CorsTest, IsNotThereWithoutOrigins) {
  Cors none({}, router_);
  const auto reply = call(none, Method::get, "/now", {{"Origin", "https://console.example"}});
  EXPECT_EQ(reply.header("Vary"), "");
  EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), "");
}

TEST(CorsOrigins, AreWhatBrowsersSend) {
  EXPECT_EQ(parse_origins("")->size(), 0U);
  EXPECT_EQ(*parse_origins("https://a.example, http://localhost:5173,http://[::1]:8080"),
            (std::vector<std::string>{"https://a.example", "http://localhost:5173", "http://[::1]:8080"}));
  for (const std::string_view list :
       {"*", "null", "a.example", "ftp://a", "https://", "https://A.example", "https://a.example/",
        "https://a.example:443", "http://a.example:80", "http://a:", "http://a:0", "http://a:x", "http://a:100000",
        "https://a.example,,https://b", "https://u@a.example", "http://[::1", "http://[]", "https://*.example", " "}) {
    EXPECT_FALSE(parse_origins(list)) << list;
  }
}

}  // namespace
}  // namespace latchkey::http
