// Every refusal has an id, and the header, the document and the request log agree on it; what the log says of requests
// that a proxy asks about.

#include <boost/json/serialize.hpp>
#include <set>
#include <sstream>

#include "tokens_service/testing/service_suite.hpp"

namespace latchkey::tokens_service {
namespace {

using http::Method;

constexpr std::string_view instance_prefix = "/v1/requests/";

class RequestIdTest : public ServiceFixture {
 protected:
  std::vector<json::value> lines() {
    std::vector<json::value> found;
    std::istringstream in(logged());
    for (std::string line; std::getline(in, line);) found.push_back(parse_json(line).value());
    return found;
  }
  json::value last_line() { return lines().back(); }
  static std::string text(const json::value& line, std::string_view member) {
    const auto* value = line.as_object().if_contains(member);
    return value == nullptr ? "absent" : value->is_string() ? std::string(value->as_string()) : json::serialize(*value);
  }
  void use_rules() {
    rules::Rule reports{.name = "reports", .match = std::nullopt, .scope = {"a"}, .cost = 5};
    rules::Rule items{.name = "items", .match = rules::Pattern::parse("GET /items/*").value(), .scope = {}};
    rules_.replace(rules::RuleTable::make({reports, items}).value(), clock_.boot());
  }
  AccessKey with(void (*change)(AccessKey&)) {
    AccessKey key = new_key(1);
    change(key);
    return put(key);
  }
};

TEST_F(RequestIdTest, HeaderDocumentAndLogAgreeForEveryReason) {
  use_rules();
  const std::string used_up = token_of(new_key(1));
  EXPECT_EQ(get("/v1/authorize/items/1", used_up).status, 200);
  logged();  // of another thread: in one batch its line may come last
  std::set<std::string> ids;
  const auto refused = [&](std::string_view outcome, std::string_view target, const std::string& token,
                           std::vector<http::Header> more = {}) {
    if (!token.empty()) more.push_back({"X-API-Key", token});
    const auto reply = http::call(service_, Method::get, target, more);
    const std::string id = reply.header("Latchkey-Request-Id");
    EXPECT_EQ(id.size(), request_id_chars) << outcome << " at " << target;
    EXPECT_TRUE(ids.insert(id).second) << outcome;
    const auto body = parse_json(reply.body);
    ASSERT_TRUE(body) << reply.body;
    EXPECT_EQ(body->at("instance").as_string(), std::string(instance_prefix) + id) << outcome;
    const json::value line = last_line();
    EXPECT_EQ(text(line, "requestId"), id) << outcome;
    EXPECT_EQ(text(line, "outcome"), outcome) << target;
    EXPECT_EQ(text(line, "position"), reply.header("Latchkey-Position")) << outcome;
    EXPECT_EQ(text(line, "status"), std::to_string(reply.status)) << outcome;
  };
  const std::string authorize = "/v1/authorize/items/7";
  for (const std::string query : {"", "?deny=403"}) {
    refused("no-credentials", authorize + query, "");
    refused("malformed", authorize + query, "nonsense");
    refused("ambiguous", authorize + query, used_up, {{"Authorization", "Bearer other"}});
    refused("no-rule", "/v1/authorize/else" + query, "");
    refused("ambiguous-path", "/v1/authorize/items//7" + query, "");
    refused("rate-limited", authorize + query, used_up);
    refused("cost-exceeds-limit", "/v1/rules/reports/authorize" + query, used_up);
    refused("disabled", authorize + query, token_of(with([](AccessKey& key) { key.disabled = true; })));
    refused("insufficient-scope", "/v1/rules/reports/authorize" + query,
            token_of(with([](AccessKey& key) { key.scopes = ScopeList{"b"}; })));
  }
  rules_.replace({}, clock_.boot());
  refused("no-credentials", "/v1/tokens", "");
  refused("no-credentials", "/v1/plan", "");
  refused("rate-limited", "/v1/tokens", used_up);
  refused("invalid-position", "/v1/tokens", used_up, {{"Latchkey-At-Least", "x"}});
  clock_.advance(std::chrono::hours(1));
  refused("stale-view", "/v1/tokens", used_up);
}

TEST_F(RequestIdTest, WhatIsLetInHasNone) {
  EXPECT_EQ(get("/v1/tokens", token_of(new_key())).header("Latchkey-Request-Id"), "");
  EXPECT_EQ(text(last_line(), "requestId"), "absent");
}

TEST_F(RequestIdTest, TheLogSaysWhichLimitsRefuseAndForHowLong) {
  const std::string token = token_of(new_key(1));
  get("/v1/tokens", token);
  logged();
  const auto reply = get("/v1/tokens", token);
  EXPECT_EQ(text(last_line(), "limits"), R"(["per-minute"])");
  EXPECT_EQ(text(last_line(), "retryAfter"), reply.header("Retry-After"));
  use_rules();
  get("/v1/rules/reports/authorize", token);
  EXPECT_EQ(text(last_line(), "rule"), "reports");
  EXPECT_EQ(text(last_line(), "cost"), "5");
}

TEST_F(RequestIdTest, TheLogHasTheOriginalRequestTheClientAndTheProxysId) {
  const std::string token = token_of(new_key());
  const http::Peer peer{IpAddress::parse("192.0.2.9"), false};
  http::call(
      service_, Method::post, "/v1/authorize/orders/7?secret=1",
      {{"X-API-Key", token}, {"X-Request-ID", "abc-1"}, {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7-01"}},
      {}, peer);
  const json::value line = last_line();
  EXPECT_EQ(text(line, "originalMethod"), "POST");
  EXPECT_EQ(text(line, "originalPath"), "/orders/7");
  EXPECT_EQ(text(line, "client"), "192.0.2.9");
  EXPECT_EQ(text(line, "clockMillis"), std::to_string(clock_.boot().nanos / 1'000'000));
  EXPECT_EQ(text(line, "proxyRequestId"), "abc-1");
  EXPECT_EQ(text(line, "traceparent"), "00-0af7651916cd43dd8448eb211c80319c-b7-01");
  EXPECT_EQ(logged().find("secret"), std::string::npos);
  use_rules();
  get("/v1/rules/reports/authorize/a/b", token);
  EXPECT_EQ(text(last_line(), "originalPath"), "/a/b");
}

TEST_F(RequestIdTest, BehindAProxyThatSaysSoItIsTheHeadersRequest) {
  const ForwardAuth forward{.source = OriginalSource::x_original,
                            .trusted = access::TrustedProxies::parse("192.0.2.9").value(),
                            .client_address = access::ClientAddress::x_forwarded_for};
  Metrics metrics;
  const Parts parts{view_, projector_, check_, limiter_, catalog_, log_, metrics, clock_, rules_, forward};
  TokensService service(parts);
  const std::string token = token_of(new_key());
  const std::vector<http::Header> headers{{"X-API-Key", token},
                                          {"X-Original-URI", "/shop/a%20b?card=4711#x"},
                                          {"X-Original-Method", "PROPFIND"},
                                          {"X-Forwarded-For", "2001:db8::7"}};
  http::call(service, Method::get, "/v1/authorize", headers, {}, {IpAddress::parse("192.0.2.9"), false});
  logged();
  json::value line = last_line();
  EXPECT_EQ(text(line, "originalMethod"), "PROPFIND");
  EXPECT_EQ(text(line, "originalPath"), "/shop/a%20b");
  EXPECT_EQ(text(line, "client"), "2001:db8::7");
  http::call(service, Method::get, "/v1/authorize", headers, {}, {IpAddress::parse("192.0.2.8"), false});
  line = last_line();
  EXPECT_EQ(text(line, "originalPath"), "absent") << "anybody may send these";
  EXPECT_EQ(text(line, "client"), "192.0.2.8");
}

TEST_F(RequestIdTest, NoFormOfATokenIsEverWritten) {
  const std::string token = token_of(new_key());
  const std::string body = token.substr(4, 40);
  for (const std::string& canary : {token, "acme_live_" + token, "no-prefix-of-ours." + token}) {
    for (const std::string& target : {"/v1/authorize/x/" + canary + "/y", "/v1/authorize/x?a=" + canary}) {
      http::call(service_, Method::get, target,
                 {{"X-API-Key", token}, {"X-Request-Id", canary}, {"traceparent", canary}});
    }
  }
  logged();
  http::call(service_, Method::get, "/v1/authorize/x", {{"X-API-Key", token}, {"X-Request-Id", "a\"b\\c\td\xff"}});
  EXPECT_EQ(text(last_line(), "proxyRequestId"), "a\"b\\c?d?");
  EXPECT_EQ(logged().find(body), std::string::npos);
  EXPECT_NE(logged().find("[redacted]"), std::string::npos);
}

}  // namespace
}  // namespace latchkey::tokens_service
