// Access rules through the router, without a socket. ruling_test.cpp has the tables; here is what becomes of a ruling.

#include "tokens_service/testing/service_suite.hpp"

namespace latchkey::tokens_service {
namespace {

using http::Method;

rules::Rule new_rule(std::string name, std::string_view match, std::vector<std::string> scope = {},
                     bool is_public = false) {
  rules::Rule made{
      .name = std::move(name), .match = std::nullopt, .scope = std::move(scope), .cost = 1, .is_public = is_public};
  if (!match.empty()) made.match = rules::Pattern::parse(match).value();
  return made;
}

class RulesTest : public ServiceFixture {
 protected:
  RulesTest() {
    rules_.replace(
        rules::RuleTable::make({new_rule("open", "* /open/*", {}, true), new_rule("admin", "* /admin/*", {"a", "b:c"}),
                                new_rule("items", "GET /items/*"), new_rule("named", "")})
            .value(),
        clock_.boot());
  }

  http::Reply ask(std::string_view target, std::string_view token = {}, std::vector<http::Header> more = {},
                  const http::Peer& peer = {}) {
    if (!token.empty()) more.push_back({"X-API-Key", token});
    return http::call(service_, Method::get, target, more, {}, peer);
  }
  std::string remaining(const std::string& token) { return get("/v1/plan", token).body; }

  AccessKey with(std::optional<ScopeList> scopes, std::optional<NetworkList> networks = {}) {
    AccessKey key = new_key();
    key.scopes = std::move(scopes);
    key.networks = std::move(networks);
    return put(key);
  }

  const std::string token_ = token_of(with(ScopeList{"a", "x"}));
};

TEST_F(RulesTest, RefusesWhatNoRuleIsForBeforeAnyKey) {
  for (const std::string& token : {token_, std::string(), std::string("nonsense")}) {
    EXPECT_EQ(type_of(ask("/v1/authorize/else", token)), "/problems/no-rule");
    EXPECT_EQ(type_of(ask("/v1/authorize/items/../admin/x", token)), "/problems/ambiguous-path");
    EXPECT_EQ(type_of(ask("/v1/authorize", token)), "/problems/original-request-unknown");
    EXPECT_EQ(type_of(ask("/v1/rules/none/authorize", token)), "/problems/no-rule");
  }
  EXPECT_EQ(type_of(ask("/v1/authorize/items/7")), "/problems/no-credentials");
  EXPECT_EQ(ask("/v1/authorize/items/7", token_).status, 200);
  EXPECT_EQ(ask("/v1/rules/named/authorize/a//b", token_).status, 200);
}

TEST_F(RulesTest, RefusesAScopeThatTheKeyDoesNotHaveAndTakesNoPermit) {
  const std::string before = remaining(token_);
  for (const std::string_view target : {"/v1/authorize/admin/x", "/v1/rules/admin/authorize"}) {
    const auto reply = ask(target, token_);
    EXPECT_EQ(reply.status, 403);
    EXPECT_EQ(type_of(reply), "/problems/insufficient-scope");
    EXPECT_EQ(reply.header("WWW-Authenticate"), "Bearer error=\"insufficient_scope\", scope=\"a b:c\"");
  }
  EXPECT_EQ(remaining(token_), before);
  EXPECT_EQ(type_of(ask("/v1/authorize/admin/x", "nonsense")), "/problems/invalid-token") << "the key comes first";
}

TEST_F(RulesTest, AListThatCoversTheScopesLetsInAndIsHandedOn) {
  const auto scopes_of = [&](const AccessKey& key) {
    const auto reply = ask("/v1/authorize/admin/x", token_of(key));
    return std::to_string(reply.status) + ' ' + reply.header("X-Latchkey-Scopes");
  };
  EXPECT_EQ(scopes_of(with(ScopeList{"a", "b:*"})), "200 a b:*");
  EXPECT_EQ(scopes_of(with(std::nullopt)), "200 ") << "no list is every scope";
  EXPECT_EQ(scopes_of(with(ScopeList{})), "403 ");
  EXPECT_EQ(scopes_of(with(ScopeList{"a"})), "403 ") << "all that the rule names";
  EXPECT_EQ(ask("/v1/authorize/items/x", token_of(with(ScopeList{}))).status, 200) << "this rule asks for none";
}

TEST_F(RulesTest, NetworksComeBeforeScopesAndScopesBeforeLimits) {
  const NetworkList ours{*IpNetwork::parse("10.0.0.0/8")};
  const http::Peer inside{.address = IpAddress::parse("10.1.2.3"), .over_unix_socket = false};
  const http::Peer outside{.address = IpAddress::parse("192.0.2.1"), .over_unix_socket = false};
  struct Case {
    bool network, scope, room;
    const char* expected;
  };
  for (const auto& [network, scope, room, expected] :
       {Case{true, true, true, ""}, Case{true, true, false, "/problems/rate-limited"},
        Case{true, false, true, "/problems/insufficient-scope"},
        Case{true, false, false, "/problems/insufficient-scope"},
        Case{false, true, true, "/problems/network-not-allowed"},
        Case{false, true, false, "/problems/network-not-allowed"},
        Case{false, false, true, "/problems/network-not-allowed"},
        Case{false, false, false, "/problems/network-not-allowed"}}) {
    for (const bool disabled : {false, true}) {
      AccessKey key = new_key(1);
      key.networks = ours;
      key.scopes = scope ? ScopeList{"a", "b:c"} : ScopeList{"a"};
      key = put(key);
      const std::string token = token_of(key);
      if (!room) {
        EXPECT_EQ(ask("/v1/rules/named/authorize", token, {}, inside).status, 200);
      }
      key.disabled = disabled;
      put(key);
      const auto reply = ask("/v1/authorize/admin/x", token, {}, network ? inside : outside);
      const std::string problem = reply.status == 200 ? "" : type_of(reply);
      EXPECT_EQ(problem, disabled ? "/problems/key-disabled" : expected) << network << scope << room;
      key.disabled = false;
      put(key);
      const bool taken = !room || (problem.empty() && !disabled);
      EXPECT_EQ(ask("/v1/rules/named/authorize", token, {}, inside).status, taken ? 429 : 200)
          << network << scope << room << disabled << ": what is refused takes nothing";
    }
  }
}

TEST_F(RulesTest, AnUnknownAddressIsInNoNetworkAndAHoldersOwnAffairsHaveNone) {
  const std::string token = token_of(with(ScopeList{}, NetworkList{*IpNetwork::parse("0.0.0.0/0")}));
  EXPECT_EQ(type_of(ask("/v1/authorize/items/x", token, {}, {.address = {}, .over_unix_socket = true})),
            "/problems/network-not-allowed");
  EXPECT_EQ(get("/v1/plan", token).status, 200);
}

TEST_F(RulesTest, LooksAtNoKeyWhereARuleIsPublic) {
  const std::string before = remaining(token_);
  for (const std::string& token : {std::string(), token_, std::string("nonsense")}) {
    const auto reply = ask("/v1/authorize/open/x", token);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("X-Latchkey-User") + reply.header("X-Latchkey-Key-Id"), "");
    EXPECT_EQ(std::count_if(reply.headers.begin(), reply.headers.end(),
                            [](const auto& header) { return header.first.starts_with("X-Latchkey-"); }),
              5);
  }
  EXPECT_EQ(remaining(token_), before);
  EXPECT_NE(
      logged().find(R"("userId":null,"method":"GET","path":"/v1/authorize/open/x","outcome":"public","status":200)"),
      std::string::npos)
      << lines_;
  EXPECT_NE(http::call(service_, Method::get, "/metrics").body.find("outcome=\"public\"} 3\n"), std::string::npos);
}

TEST_F(RulesTest, AreNotForAHoldersOwnAffairs) { EXPECT_EQ(get("/v1/plan", token_).status, 200); }

TEST_F(RulesTest, NamesTheProblemForAProxyThatCannotHandOnTheBody) {
  EXPECT_EQ(ask("/v1/authorize/else?deny=403", token_).header("X-Latchkey-Problem"), "no-rule");
  EXPECT_EQ(ask("/v1/authorize/admin/x?deny=403", token_).header("X-Latchkey-Problem"), "insufficient-scope");
  EXPECT_EQ(ask("/v1/authorize/items/x?deny=403").header("X-Latchkey-Problem"), "no-credentials");
  EXPECT_EQ(ask("/v1/authorize/items/x?deny=403").header("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(ask("/v1/authorize/else", token_).header("X-Latchkey-Problem"), "");
}

TEST_F(RulesTest, BelievesTheHeadersOfATrustedPeerOnly) {
  const http::Peer proxy{.address = IpAddress::parse("10.0.0.1"), .over_unix_socket = false};
  Metrics metrics;
  TokensService trusting({view_, projector_, check_, limiter_, catalog_, log_, metrics, clock_, rules_,
                          ForwardAuth{.source = OriginalSource::x_original,
                                      .trusted = access::TrustedProxies::parse("10.0.0.0/8").value()}});
  const std::vector<http::Header> told = {
      {"X-API-Key", token_}, {"X-Original-URI", "/items/7"}, {"X-Original-Method", "GET"}};
  EXPECT_EQ(http::call(trusting, Method::post, "/v1/authorize", told, {}, proxy).status, 200);
  EXPECT_EQ(type_of(http::call(trusting, Method::post, "/v1/authorize", told)), "/problems/original-request-unknown");
  std::vector<http::Header> wish = told;
  wish.push_back({"Latchkey-At-Least", "nonsense"});
  EXPECT_EQ(http::call(trusting, Method::get, "/v1/authorize", wish, {}, proxy).status, 400);
  EXPECT_EQ(http::call(trusting, Method::get, "/v1/rules/items/authorize", wish).status, 200);
}

}  // namespace
}  // namespace latchkey::tokens_service
