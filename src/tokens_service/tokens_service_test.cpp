#include "tokens_service/tokens_service.hpp"

#include <set>
#include <thread>

#include "tokens_service/header_lines.hpp"
#include "tokens_service/routes.hpp"
#include "tokens_service/testing/service_suite.hpp"

namespace latchkey::tokens_service {
namespace {

using http::Method;
using TokensServiceTest = ServiceFixture;

TEST_F(TokensServiceTest, ServesTheCatalogAndSaysWhatIsLeft) {
  const std::string token = token_of(new_key());
  for (std::uint32_t remaining : {59, 58}) {  // the first by its signature, the second remembered
    const auto reply = get("/v1/tokens", token);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("Content-Type"), "application/json");
    EXPECT_EQ(reply.body, catalog_.current()->list_json());
    EXPECT_EQ(reply.header("RateLimit-Policy"), "\"per-minute\";q=60;w=60");
    EXPECT_EQ(reply.header("RateLimit").substr(0, 17), "\"per-minute\";r=" + std::to_string(remaining));
    EXPECT_EQ(reply.header("Latchkey-Position"), "0000000000c0ffee.2");
  }
}

TEST_F(TokensServiceTest, EveryRouteAnswersWithOnePosition) {
  const std::string token = token_of(new_key());
  for (const std::string_view target :
       {"/v1/tokens", "/v1/tokens/ETH", "/v1/tokens/NOPE", "/v1/plan", "/v1/authorize", "/openapi.json", "/healthz",
        "/readyz", "/metrics", "/nowhere", "/v1/tokens?key"}) {
    const auto reply = get(target, token);
    std::size_t count = 0;
    for (const auto& [name, value] : reply.headers) count += name == "Latchkey-Position" ? 1 : 0;
    EXPECT_EQ(count, 1U) << target;
  }
}

TEST_F(TokensServiceTest, OneTokenAnyCaseAndUnknownOnesAreCountedToo) {
  const std::string token = token_of(new_key(4));
  EXPECT_EQ(get("/v1/tokens/USDC", token).body, catalog_.current()->find_json("USDC"));
  EXPECT_EQ(get("/v1/tokens/usdc", token).status, 200);
  EXPECT_EQ(get("/v1/tokens/%55SD%43", token).status, 200);
  const auto missing = get("/v1/tokens/NOPE", token);
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(type_of(missing), "/problems/not-found");
  EXPECT_EQ(missing.header("RateLimit").substr(0, 16), "\"per-minute\";r=0");
  EXPECT_EQ(get("/v1/tokens/NOPE", token).status, 429);
}

TEST_F(TokensServiceTest, RetryAfterIsEnough) {
  const std::string token = token_of(new_key(1));
  EXPECT_EQ(get("/v1/tokens", token).status, 200);
  const auto refused = get("/v1/tokens", token);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(type_of(refused), "/problems/rate-limited");
  EXPECT_EQ(refused.header("RateLimit-Policy"), "\"per-minute\";q=1;w=60");
  EXPECT_EQ(refused.header("RateLimit").substr(0, 16), "\"per-minute\";r=0");
  clock_.advance(std::chrono::seconds(std::stoi(refused.header("Retry-After"))));
  follow();
  EXPECT_EQ(get("/v1/tokens", token).status, 200);
}

TEST_F(TokensServiceTest, ThePlanIsNotCounted) {
  AccessKey key = new_key(2);
  key.user_id = R"(a"b\c)";
  key.expires_at = clock_.wall() + std::chrono::hours(1);
  key = put(key);
  const std::string token = token_of(key);
  EXPECT_EQ(get("/v1/authorize", token).status, 200);
  for (int i = 0; i < 3; ++i) {
    const auto reply = get("/v1/plan", token);
    ASSERT_EQ(reply.status, 200);
    const auto plan = parse_json(reply.body);
    ASSERT_TRUE(plan) << reply.body;
    EXPECT_EQ(plan->at("keyId").as_string(), key.id.to_string());
    EXPECT_EQ(plan->at("userId").as_string(), key.user_id);
    EXPECT_EQ(plan->at("requestsPerMinute").as_int64(), 2);
    EXPECT_EQ(plan->at("expiresAt").as_string(), "2026-01-01T01:00:00.000Z");
    EXPECT_EQ(plan->at("issuedAt").as_string(), "2026-01-01T00:00:00.000Z");
    EXPECT_EQ(plan->at("status").as_string(), "active");
    EXPECT_EQ(plan->at("remaining").as_int64(), 1);
    EXPECT_EQ(plan->at("position").as_string(), "0000000000c0ffee.3");
    EXPECT_EQ(reply.header("RateLimit"), "");
  }
}

TEST_F(TokensServiceTest, AuthorizeNamesTheHolderForAnyMethod) {
  const AccessKey key = new_key();
  const std::string token = token_of(key);
  for (const Method method : {Method::get, Method::post, Method::put, Method::patch, Method::delete_, Method::head,
                              Method::options, Method::other}) {
    const std::string value = "Bearer " + token;
    const auto reply = http::call(service_, method, "/v1/authorize", {{"Authorization", value}}, "ignored");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "");
    EXPECT_EQ(reply.header("X-Latchkey-User"), "alice");
    EXPECT_EQ(reply.header("X-Latchkey-User-Encoded"), "alice");
    EXPECT_EQ(reply.header("X-Latchkey-Key-Id"), key.id.to_string());
    EXPECT_NE(reply.header("RateLimit"), "");
  }
}

TEST_F(TokensServiceTest, Deny403HidesWhatAProxyMakesA500Of) {
  const std::string token = token_of(new_key(1));
  EXPECT_EQ(get("/v1/authorize?deny=403", token).status, 200);
  const auto denied = get("/v1/authorize?deny=403", token);
  EXPECT_EQ(denied.status, 403);
  EXPECT_EQ(denied.header("X-Latchkey-Status"), "429");
  EXPECT_EQ(type_of(denied), "/problems/rate-limited");
  EXPECT_NE(denied.header("Retry-After"), "");
  EXPECT_NE(denied.header("RateLimit"), "");
  EXPECT_EQ(get("/v1/authorize", token).status, 429);
  EXPECT_EQ(get("/v1/tokens?deny=403", token).status, 429);
  EXPECT_EQ(http::call(service_, Method::get, "/v1/authorize?deny=403").status, 401);
  for (const char* query : {"?deny=401", "?deny", "?deny=", "?deny=4030", "?denying=1", "?x=deny=403", "?DENY=403",
                            "?deny=%34%30%33", "?x=%zz&api_key=y;key=z"}) {
    EXPECT_EQ(get(std::string("/v1/authorize") + query, token).status, 429) << query << " is the client's";
  }
  for (const char* query : {"?deny=403&deny=401", "?x=1&deny=403", "?deny=403&key=x"}) {
    EXPECT_EQ(get(std::string("/v1/authorize/its/path") + query, token).status, 403) << query;
  }
  const auto ambiguous = get("/v1/authorize?deny=403", token, {{"Authorization", "Bearer other"}});
  EXPECT_EQ(ambiguous.status, 403);
  EXPECT_EQ(ambiguous.header("X-Latchkey-Status"), "400");
}

TEST_F(TokensServiceTest, AuthorizeTakesEveryPathBelowIt) {
  const std::string token = token_of(new_key());
  for (const char* target :
       {"/v1/authorize/", "/v1/authorize/orders/7", "/v1/authorize//", "/v1/authorize/../v1/tokens",
        "/v1/authorize/a/b/c/d/e/f/g/h", "/v1/authorize/%zz", "/v1/authorize/x?api_key=1"}) {
    const auto reply = get(target, token);
    EXPECT_EQ(reply.status, 200) << target;
    EXPECT_EQ(reply.header("X-Latchkey-User"), "alice") << target;
  }
  EXPECT_EQ(get("/v1/authorizer", token).status, 404);
  EXPECT_EQ(http::call(service_, Method::post, "/v1/authorize/x").status, 401);
  EXPECT_EQ(logged().find("api_key"), std::string::npos);
}

TEST_F(TokensServiceTest, AuthorizeHandsOnWhoeverItIs) {
  struct Case {
    std::string user, shown, encoded;
  };
  for (const auto& [user, shown, as_octets] :
       {Case{"a-b._~Z9", "a-b._~Z9", "a-b._~Z9"}, Case{"a%2F/b@c", "a%2F/b@c", "a%252F%2Fb%40c"},
        Case{std::string(128, '%'), std::string(128, '%'), [] {
               std::string all;
               for (int i = 0; i < 128; ++i) all += "%25";
               return all;
             }()}}) {
    AccessKey key = new_key(1'000'000);
    key.user_id = user;
    const auto reply = get("/v1/authorize", token_of(put(key)));
    ASSERT_EQ(reply.status, 200) << user;
    const std::vector<std::pair<std::string, std::string>> identity = {{"X-Latchkey-User", shown},
                                                                       {"X-Latchkey-User-Encoded", as_octets},
                                                                       {"X-Latchkey-Key-Id", key.id.to_string()},
                                                                       {"X-Latchkey-Plan", ""},
                                                                       {"X-Latchkey-Scopes", ""}};
    std::vector<std::pair<std::string, std::string>> sent;
    for (const auto& header : reply.headers) {
      if (header.first.starts_with("X-Latchkey-")) sent.push_back(header);
    }
    EXPECT_EQ(sent, identity) << "each exactly once";
    EXPECT_NE(reply.header("Latchkey-Position"), "");
  }
}

// Not issued yet, but what a row holds is handed on safely: no octet of it reaches a header line as it is.
TEST(HeaderLines, AnIdThatIsNoHeaderValueIsHandedOnEncodedOnly) {
  std::string all;
  for (int octet = 1; octet < 129; ++octet) all += static_cast<char>(octet);
  for (const std::string& user : {std::string("\xc3\xbc"), std::string("a b"), std::string("a\r\nX: y"), all}) {
    HeaderLines lines;
    const std::string text(lines.identity(user, KeyId(), "", "").text());
    EXPECT_TRUE(text.starts_with("X-Latchkey-User: \r\nX-Latchkey-User-Encoded: ")) << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5) << text;
    const auto from = text.find("Encoded: ") + 9;
    EXPECT_EQ(http::decode_segment(text.substr(from, text.find('\r', from) - from)), user);
    EXPECT_TRUE(text.ends_with("X-Latchkey-Plan: \r\nX-Latchkey-Scopes: \r\n"));
  }
}

TEST_F(TokensServiceTest, AForeignAuthorizationBesideAKeyIsTheApisOwn) {
  const std::string token = token_of(new_key());
  for (const std::string_view target : {"/v1/tokens", "/v1/plan", "/v1/authorize"}) {
    EXPECT_EQ(get(target, token, {{"Authorization", "Basic YTpi"}}).status, 200) << target;
    EXPECT_EQ(get(target, token, {{"Authorization", "Bearer " + token}}).status, 200) << target;
    EXPECT_EQ(get(target, token, {{"Authorization", "Bearer " + token + "x"}}).status, 400) << target;
  }
}

TEST_F(TokensServiceTest, RefusalsByStateEachHaveTheirType) {
  const auto expect = [&](const AccessKey& key, const std::string& token, std::string_view type) {
    put(key);
    const auto reply = get("/v1/tokens", token);
    EXPECT_EQ(reply.status, 401) << type;
    EXPECT_EQ(type_of(reply), type);
    EXPECT_EQ(reply.header("WWW-Authenticate"), "Bearer error=\"invalid_token\"");
    EXPECT_EQ(limiter_.peek(key.id, {*key.requests_per_minute, {}}).remaining, key.requests_per_minute);
  };
  AccessKey key = new_key();
  const std::string token = token_of(key);
  key.disabled = true;
  expect(key, token, "/problems/key-disabled");
  key.disabled = false;
  key.expires_at = clock_.wall();
  expect(key, token, "/problems/key-expired");
  key.expires_at.reset();
  ++key.issued_at.seconds;
  expect(key, token, "/problems/key-rotated");
  key.deleted = true;
  expect(key, token_of(key), "/problems/key-deleted");
}

TEST_F(TokensServiceTest, WhatHasNoGoodSignatureIsOneRefusal) {
  const AccessKey key = new_key();
  AccessKey unknown = key;
  unknown.id = KeyId::generate(clock_.wall(), random_);
  for (const std::string& token :
       {std::string("garbage"), token_of(unknown), token_of(key, jwt::Ed25519PrivateKey::generate())}) {
    const auto reply = get("/v1/tokens", token);
    EXPECT_EQ(reply.status, 401);
    EXPECT_EQ(type_of(reply), "/problems/invalid-token");
    EXPECT_EQ(reply.header("WWW-Authenticate"), "Bearer error=\"invalid_token\"");
  }
  const auto none = http::call(service_, Method::get, "/v1/tokens");
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(none.header("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(type_of(none), "/problems/no-credentials");
}

TEST_F(TokensServiceTest, AKeyInTheQueryIs400) {
  const std::string token = token_of(new_key());
  EXPECT_EQ(get("/v1/tokens?api_key=x", token).status, 400);
  EXPECT_EQ(http::call(service_, Method::get, "/v1/tokens?access_key=" + token).status, 400);
  EXPECT_EQ(logged().find(token), std::string::npos);
}

TEST_F(TokensServiceTest, AStaleViewRefusesAndIsNotReady) {
  const std::string token = token_of(new_key());
  EXPECT_EQ(get("/v1/tokens", token).status, 200);
  EXPECT_EQ(http::call(service_, Method::get, "/readyz").status, 200);
  clock_.advance(std::chrono::seconds(31));
  const auto stale = get("/v1/tokens", token);
  EXPECT_EQ(stale.status, 503);
  EXPECT_EQ(type_of(stale), "/problems/stale-view");
  EXPECT_NE(stale.header("Retry-After"), "");
  const auto unready = http::call(service_, Method::get, "/readyz");
  EXPECT_EQ(unready.status, 503);
  EXPECT_EQ(parse_json(unready.body)->at("state").as_string(), "stale");
  EXPECT_EQ(http::call(service_, Method::get, "/healthz").status, 200);
  follow();
  EXPECT_EQ(get("/v1/tokens", token).status, 200);
}

TEST_F(TokensServiceTest, ReadinessMayIncludeTheLimiter) {
  const auto limiter = [](const http::Reply& reply) { return parse_json(reply.body)->at("limiter").as_string(); };
  EXPECT_FALSE(parse_json(http::call(service_, Method::get, "/readyz").body)->as_object().contains("limiter"));
  EXPECT_EQ(limiter(http::call(service_, Method::get, "/readyz?include=limiter")), "local");
  EXPECT_EQ(http::call(service_, Method::get, "/readyz?include=limitter").status, 400);
  Metrics metrics;
  bool reachable = true;
  TokensService shared({view_, projector_, check_, limiter_, catalog_, log_, metrics, clock_, rules_, {}, nullptr, [&] {
                          return reachable;
                        }});
  EXPECT_EQ(limiter(http::call(shared, Method::get, "/readyz?include=limiter")), "reachable");
  reachable = false;
  const auto away = http::call(shared, Method::get, "/readyz?include=limiter");
  EXPECT_EQ(away.status, 503);
  EXPECT_EQ(limiter(away), "unreachable");
  EXPECT_EQ(http::call(shared, Method::get, "/readyz").status, 200);
}

TEST_F(TokensServiceTest, AtLeastThatIsReachedPassesAtOnce) {
  const std::string token = token_of(new_key());
  EXPECT_EQ(get("/v1/tokens", token, {{"Latchkey-At-Least", "0000000000c0ffee.2"}}).status, 200);
}

TEST_F(TokensServiceTest, AtLeastRefusals) {
  const std::string token = token_of(new_key());
  for (const std::string_view bad : {"", "2", "c0ffee.2", "0000000000c0ffee.x"}) {
    const auto reply = get("/v1/plan", token, {{"Latchkey-At-Least", bad}});
    EXPECT_EQ(reply.status, 400) << bad;
    EXPECT_EQ(type_of(reply), "/problems/invalid-position");
  }
  const auto foreign = get("/v1/plan", token, {{"Latchkey-At-Least", "0000000000000001.1"}});
  EXPECT_EQ(foreign.status, 503);
  EXPECT_EQ(type_of(foreign), "/problems/position-not-reached");
  EXPECT_EQ(get("/v1/plan", "garbage", {{"Latchkey-At-Least", "0000000000c0ffee.99"}}).status, 401);
}

TEST_F(TokensServiceTest, AtLeastWaitsForNoForgedSignature) {
  std::string token = token_of(new_key());
  token.replace(token.rfind('.') + 1, std::string::npos, std::string(86, 'A'));
  const auto reply = get("/v1/plan", token, {{"Latchkey-At-Least", "0000000000c0ffee.99"}});
  EXPECT_EQ(reply.status, 401) << "at once, without taking a place";
}

/// Asks in a thread of its own and lets `meanwhile` happen again and again until the answer is there.
template <class Meanwhile>
http::Reply ask_while(const std::function<http::Reply()>& ask, Meanwhile meanwhile) {
  std::atomic<bool> answered{false};
  http::Reply reply;
  std::thread asker([&] {
    reply = ask();
    answered = true;
  });
  while (!answered) {
    meanwhile();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  asker.join();
  return reply;
}

TEST_F(TokensServiceTest, AtLeastWaitsForTheView) {
  const std::string token = token_of(new_key());
  const auto ask = [&] { return get("/v1/tokens", token, {{"Latchkey-At-Least", "0000000000c0ffee.3"}}); };
  bool put_one = false;
  const auto reply = ask_while(ask, [&] {
    if (!std::exchange(put_one, true)) new_key();
    projector_.step(std::chrono::milliseconds(0));
  });
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("Latchkey-Position"), "0000000000c0ffee.3");
}

TEST_F(TokensServiceTest, AtLeastWaitsNoLongerThanItsBound) {
  const std::string token = token_of(new_key());
  const auto ask = [&] { return get("/v1/tokens", token, {{"Latchkey-At-Least", "0000000000c0ffee.3"}}); };
  const auto reply = ask_while(ask, [&] {
    clock_.advance(std::chrono::milliseconds(500));
    projector_.step(std::chrono::milliseconds(0));
  });
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(type_of(reply), "/problems/position-not-reached");
  EXPECT_EQ(reply.header("Latchkey-Position"), "0000000000c0ffee.2");
}

TEST_F(TokensServiceTest, ALimiterFarAwayDecidesLaterAndUnavailableIs503) {
  bool down = false;
  RemoteLimiter remote(limiter_, down);
  Metrics metrics;
  TokensService service({view_, projector_, check_, remote, catalog_, log_, metrics, clock_, rules_});
  const std::string token = token_of(new_key(1));
  const auto ask = [&] { return http::call(service, Method::get, "/v1/authorize", {{"X-API-Key", token}}); };
  EXPECT_EQ(ask().header("RateLimit").substr(0, 16), "\"per-minute\";r=0");
  const auto limited = ask();
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.header("Latchkey-Position"), "0000000000c0ffee.2");
  down = true;
  const auto unavailable = ask();
  EXPECT_EQ(unavailable.status, 503);
  EXPECT_EQ(type_of(unavailable), "/problems/limiter-unavailable");
}

TEST_F(TokensServiceTest, WithoutRoomForSignaturesItIsOverloaded) {
  Metrics metrics;
  TokensServiceConfig config;
  config.signatures.max_tokens = 0;
  TokensService service({view_, projector_, check_, limiter_, catalog_, log_, metrics, clock_, rules_}, config);
  const std::string token = token_of(new_key());
  const auto reply = http::call(service, Method::get, "/v1/tokens", {{"X-API-Key", token}});
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(type_of(reply), "/problems/overloaded");
}

TEST_F(TokensServiceTest, MethodsAreHttps) {
  const std::string token = token_of(new_key());
  const auto head = http::call(service_, Method::head, "/v1/tokens/ETH", {{"X-API-Key", token}});
  EXPECT_EQ(head.status, 200);
  EXPECT_NE(head.header("RateLimit"), "");
  const auto post = http::call(service_, Method::post, "/v1/tokens", {{"X-API-Key", token}});
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.header("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(http::call(service_, Method::options, "/v1/plan").status, 204);
}

TEST_F(TokensServiceTest, LogsWhoAskedForWhat) {
  const AccessKey key = new_key(1);
  const std::string token = token_of(key);
  get("/v1/tokens/ETH?x=1", token);
  get("/v1/tokens", token);
  get("/v1/tokens/" + token, "garbage");
  AccessKey disabled = key;
  disabled.disabled = true;
  put(disabled);
  get("/v1/tokens", token);
  const std::string lines = logged();
  const std::string holder = R"("keyId":")" + key.id.to_string() + R"(","userId":"alice","method":"GET","path":)";
  EXPECT_NE(lines.find(holder + R"("/v1/tokens/ETH","outcome":"admitted","status":200,)"), std::string::npos) << lines;
  EXPECT_NE(lines.find(holder + R"("/v1/tokens","outcome":"rate-limited","status":429,)"), std::string::npos) << lines;
  EXPECT_NE(lines.find(holder + R"("/v1/tokens","outcome":"disabled","status":401,)"), std::string::npos) << lines;
  EXPECT_NE(
      lines.find(R"("keyId":null,"userId":null,"method":"GET","path":"/v1/tokens/[redacted]","outcome":"malformed")"),
      std::string::npos)
      << lines;
}

TEST_F(TokensServiceTest, MetricsCountOutcomes) {
  const std::string token = token_of(new_key(1));
  get("/v1/tokens", token);
  get("/v1/tokens", token);
  get("/v1/plan", token);
  const std::string text = http::call(service_, Method::get, "/metrics").body;
  for (const std::string_view line :
       {"latchkey_requests_total{outcome=\"admitted\"} 1\n", "latchkey_requests_total{outcome=\"rate-limited\"} 1\n",
        "latchkey_requests_total{outcome=\"plan\"} 1\n", "latchkey_view_position 2\n", "latchkey_view_keys 1\n",
        "latchkey_request_log_dropped_total 0\n", "latchkey_signature_queue 0\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST_F(TokensServiceTest, TheDescriptionNamesEveryRouteAndNoOther) {
  const auto document = parse_json(http::call(service_, Method::get, "/openapi.json").body, 32);
  ASSERT_TRUE(document) << document.error().detail;
  EXPECT_EQ(document->at("openapi").as_string(), "3.1.0");
  std::set<std::string> described, served;
  for (const auto& [path, item] : document->at("paths").as_object()) {
    for (const auto& [method, operation] : item.as_object())
      described.insert(std::string(method) + " " + std::string(path));
  }
  // No API: a generated client has no use for them.
  const std::set<std::string_view> documents = {"/openapi.json", "/metrics"};
  for (const auto& route : route_table) {
    if (documents.contains(route.path) || pages::is_page(route.path)) continue;
    const auto add = [&](const char* method) { served.insert(std::string(method) + " " + std::string(route.path)); };
    if (route.method == Method::get) add("get");
    if (route.method != Method::other || route.path.ends_with("/*")) continue;  // no path template says "and below"
    for (const char* method : {"get", "head", "post", "put", "patch", "delete", "options"}) add(method);
  }
  EXPECT_EQ(described, served);
}

}  // namespace
}  // namespace latchkey::tokens_service
