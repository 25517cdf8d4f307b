#include "http/router.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "http/in_memory.hpp"

namespace latchkey::http {
namespace {

// Answers with its own name and what the parameters matched.
Router::Route named(std::string name) {
  return [name = std::move(name)](Exchange& exchange) {
    std::string body = name;
    for (const auto param : exchange.request().params) {
      if (!param.empty()) body.append(" ").append(param);
    }
    exchange.answer(Response{200, "text/plain", {}, body});
  };
}

Router make_router() {
  Router router;
  router.on(Method::get, "/", named("root"))
      .on(Method::get, "/v1/items", named("list"))
      .on(Method::post, "/v1/items", named("create"))
      .on(Method::get, "/v1/items/{id}", named("show"))
      .on(Method::delete_, "/v1/items/{id}", named("delete"))
      .on(Method::get, "/v1/items/special", named("special"))
      .on(Method::post, "/v1/items/{id}/rotate", named("rotate"))
      .on(Method::get, "/v1/{a}/deep/{b}/{c}/{d}", named("deep"))
      .on(Method::get, "/v1/items/deep/x", named("literal deep"))
      .on(Method::get, "/v1/items/{id}/parts/*", named("parts"))
      .on_any("/below/*", named("below"))
      .on(Method::get, "/below/here", named("here"))
      .on_any("/any", named("any"))
      .on(Method::get, "/any", named("any-get"));
  return router;
}

TEST(Router, FindsTheRoute) {
  Router router = make_router();
  const auto body = [&](Method method, std::string_view target) { return call(router, method, target).body; };
  EXPECT_EQ(body(Method::get, "/"), "root");
  EXPECT_EQ(body(Method::get, "/?x=1"), "root");
  EXPECT_EQ(body(Method::get, "/v1/items?limit=1"), "list");
  EXPECT_EQ(body(Method::post, "/v1/items"), "create");
  EXPECT_EQ(body(Method::get, "/v1/items/abc%2Fd"), "show abc%2Fd");
  EXPECT_EQ(body(Method::get, "/v1/items/special"), "special");
  EXPECT_EQ(body(Method::post, "/v1/items/special/rotate"), "rotate special");
  EXPECT_EQ(body(Method::get, "/v1/q/deep/1/2/3"), "deep q 1 2 3");
  EXPECT_EQ(body(Method::get, "/v1/items/deep/1/2/3"), "deep items 1 2 3")
      << "goes back from a literal that led nowhere";
  EXPECT_EQ(body(Method::get, "/v1/items/deep/x"), "literal deep");
  EXPECT_EQ(body(Method::get, "/any"), "any-get");
  EXPECT_EQ(body(Method::other, "/any"), "any");
}

TEST(Router, AStarMatchesEveryPathBelow) {
  Router router = make_router();
  const auto body = [&](Method method, std::string_view target) { return call(router, method, target).body; };
  for (const char* target : {"/below/", "/below/a", "/below/a/b/c/d/e/f", "/below//", "/below/../v1/items",
                             "/below/a/?q", "/below/here/", "/below/%2F", "/below/*", "/below/here/there"}) {
    EXPECT_EQ(body(Method::other, target), "below") << target;
  }
  EXPECT_EQ(body(Method::get, "/below/here"), "here");
  EXPECT_EQ(body(Method::get, "/v1/items/7/parts/a/b"), "parts 7");
  for (const char* target : {"/below", "/belowx", "/below%2Fa", "/v1/items/7/parts", "/v1/items//parts/a"}) {
    EXPECT_EQ(call(router, Method::get, target).status, 404) << target;
  }
}

TEST(Router, UnknownPathsAre404) {
  Router router = make_router();
  for (const char* target : {"/v1", "/v1/", "/v1/items/", "/v1/items//rotate", "/v1/items/a/b", "//", "/V1/items",
                             "/v1/items/{id}/x", "/v1/q/deep/1/2/", "/v1/q/deep/1/2/3/4"}) {
    const Reply reply = call(router, Method::get, target);
    EXPECT_EQ(reply.status, 404) << target;
    EXPECT_EQ(reply.header("content-type"), "application/problem+json");
    EXPECT_NE(reply.body.find("\"/problems/not-found\""), std::string::npos);
  }
}

TEST(Router, OtherMethodsAre405WithAllow) {
  Router router = make_router();
  const Reply reply = call(router, Method::put, "/v1/items");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.header("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_NE(reply.body.find("\"/problems/method-not-allowed\""), std::string::npos);
  EXPECT_EQ(call(router, Method::other, "/v1/items/a/rotate").header("Allow"), "POST, OPTIONS");
}

TEST(Router, AnswersOptionsAndHead) {
  Router router = make_router();
  const Reply options = call(router, Method::options, "/v1/items/x");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.header("Allow"), "GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(call(router, Method::options, "*").status, 204);
  EXPECT_EQ(call(router, Method::options, "/any").body, "any");
  EXPECT_EQ(call(router, Method::head, "/v1/items").status, 200);
  EXPECT_EQ(call(router, Method::head, "/v1/items").body, "");
  EXPECT_EQ(call(router, Method::head, "/v1/items/x/rotate").status, 405);
}

TEST(Router, RefusesPatternsItCannotServe) {
  Router router;
  EXPECT_THROW(router.on(Method::get, "x", named("x")), std::invalid_argument);
  EXPECT_THROW(router.on(Method::get, "/{a}/{b}/{c}/{d}/{e}", named("x")), std::invalid_argument);
}

TEST(InMemory, WaitsForDeferredAnswersAndStreams) {
  Router router;
  std::thread other;
  router.on(Method::get, "/later", [&](Exchange& exchange) {
    other = std::thread([later = exchange.defer()]() mutable { later.answer(json_response(201, "{}")); });
  });
  router.on(Method::get, "/stream", [&](Exchange& exchange) {
    other = std::thread([later = exchange.defer()]() mutable {
      const auto stream = later.stream(Response{200, "text/event-stream", "X: y\r\n", {}});
      EXPECT_TRUE(stream->write("a"));
      EXPECT_TRUE(stream->write("b"));
      stream->close();
      EXPECT_FALSE(stream->write("c"));
    });
  });
  EXPECT_EQ(call(router, Method::get, "/later").status, 201);
  other.join();
  const Reply reply = call(router, Method::get, "/stream");
  other.join();
  EXPECT_EQ(reply.body, "ab");
  EXPECT_EQ(reply.header("x"), "y");
}

TEST(InMemory, DroppedAndThrownAnswersAre500) {
  Router router;
  router.on(Method::get, "/drop", [](Exchange& exchange) { exchange.defer(); });
  router.on(Method::get, "/throw", [](Exchange&) { throw std::runtime_error("secret"); });
  router.on(Method::get, "/nothing", [](Exchange&) {});
  for (const char* target : {"/drop", "/throw", "/nothing"}) {
    const Reply reply = call(router, Method::get, target);
    EXPECT_EQ(reply.status, 500) << target;
    EXPECT_EQ(reply.body.find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace latchkey::http
