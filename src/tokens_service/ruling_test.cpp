#include "tokens_service/ruling.hpp"

#include <gtest/gtest.h>

namespace latchkey::tokens_service {
namespace {

using access::Refusal;
using Kind = Ruling::Kind;
using Headers = std::vector<http::Header>;

rules::Rule rule(std::string name, std::string_view match, bool is_public = false) {
  rules::Rule made{.name = std::move(name), .match = std::nullopt, .scope = {}, .cost = 1, .is_public = is_public};
  if (!match.empty()) made.match = rules::Pattern::parse(match).value();
  return made;
}

const rules::RuleTable table =
    rules::RuleTable::make({rule("open", "* /open/*", true), rule("root", "GET /", true), rule("items", "GET /items/*"),
                            rule("named", ""), rule("own", "* /v1/tokens*")})
        .value();
const rules::RuleTable by_name_only = rules::RuleTable::make({rule("named", "")}).value();

const http::Peer proxy{.address = IpAddress::parse("10.0.0.1"), .over_unix_socket = false};
const http::Peer stranger{.address = IpAddress::parse("192.0.2.1"), .over_unix_socket = false};

ForwardAuth forward(OriginalSource source, Preflight preflight = Preflight::refuse) {
  return {.source = source, .trusted = access::TrustedProxies::parse("10.0.0.0/8").value(), .preflight = preflight};
}

struct Question {
  std::string_view method, path;
  Headers headers{};
  http::Peer peer = proxy;
  std::optional<std::string_view> name{};
};

/// "open", "preflight", the rule's name, "key" or the refusal.
std::string ruling(const Question& question, const ForwardAuth& how, const rules::RuleTable& rules = table) {
  http::Request request;
  request.method_text = question.method;
  request.path = question.path;
  request.headers = question.headers;
  const auto found = rule_on_question(request, question.peer, question.name, rules, how);
  switch (found.kind) {
    case Kind::open:
      return "open";
    case Kind::preflight:
      return "preflight";
    case Kind::refused:
      return std::string(to_string(found.reason));
    case Kind::key:
      break;
  }
  return found.rule == nullptr ? "key" : found.rule->name;
}

TEST(Ruling, ByThePathBehindAuthorize) {
  const auto how = forward(OriginalSource::path);
  EXPECT_EQ(ruling({"GET", "/v1/authorize/items/7"}, how), "items");
  EXPECT_EQ(ruling({"HEAD", "/v1/authorize/items/7", {}, stranger}, how), "items") << "nobody need be trusted";
  EXPECT_EQ(ruling({"POST", "/v1/authorize/items/7"}, how), "no-rule");
  EXPECT_EQ(ruling({"GET", "/v1/authorize/open/x"}, how), "open");
  EXPECT_EQ(ruling({"GET", "/v1/authorize/"}, how), "open") << "GET /";
  EXPECT_EQ(ruling({"GET", "/v1/authorize"}, how), "original-request-unknown") << "and not GET /";
  EXPECT_EQ(ruling({"GET", "/v1/authorize/open/../items/7"}, how), "ambiguous-path");
  EXPECT_EQ(ruling({"GET", "/v1/authorize/open%2f..%2fitems/7"}, how), "ambiguous-path");
  EXPECT_EQ(ruling({"GET",
                    "/v1/authorize/items/7",
                    {{"X-Original-URI", "/open/x"}, {"X-Original-Method", "GET"}, {"X-Forwarded-Uri", "/open/x"}}},
                   how),
            "items")
      << "one source is read";
}

TEST(Ruling, ByTheHeadersOfATrustedProxy) {
  for (const auto& [source, uri, method] : std::vector<std::tuple<OriginalSource, std::string_view, std::string_view>>{
           {OriginalSource::x_original, "x-ORIGINAL-uri", "X-Original-Method"},
           {OriginalSource::x_forwarded, "X-Forwarded-Uri", "X-Forwarded-Method"}}) {
    const auto how = forward(source);
    const auto ask = [&](Headers headers, const http::Peer& peer = proxy) {
      return ruling({"GET", "/v1/authorize/open/x", std::move(headers), peer}, how);
    };
    EXPECT_EQ(ask({{uri, "/items/7?x=/open/"}, {method, "GET"}}), "items");
    EXPECT_EQ(ask({{uri, "/items/7"}, {method, "DELETE"}}), "no-rule");
    EXPECT_EQ(ask({{uri, "/open/../x"}, {method, "GET"}}), "ambiguous-path");
    EXPECT_EQ(ask({{uri, "http://a/open/x"}, {method, "GET"}}), "ambiguous-path");
    EXPECT_EQ(ask({{uri, "/items/7"}, {method, "GET"}}, stranger), "original-request-unknown");
    EXPECT_EQ(ask({{uri, "/items/7"}, {method, "GET"}}, http::Peer{}), "original-request-unknown");
    EXPECT_EQ(ask({{uri, "/items/7"}}), "original-request-unknown");
    EXPECT_EQ(ask({{method, "GET"}}), "original-request-unknown");
    EXPECT_EQ(ask({{uri, ""}, {method, "GET"}}), "original-request-unknown");
    EXPECT_EQ(ask({{uri, "/open/x"}, {uri, "/items/7"}, {method, "GET"}}), "original-request-unknown");
    EXPECT_EQ(ask({{uri, "/open/x"}, {method, "GET"}, {method, "GET"}}), "original-request-unknown");
    EXPECT_EQ(ask({}), "original-request-unknown") << "its own path says nothing then";
  }
}

TEST(Ruling, ByName) {
  const auto how = forward(OriginalSource::x_original);
  const auto ask = [&](std::string_view name) {
    return ruling({"GET", "/v1/rules/x/authorize", {{"X-Original-URI", "/open/x"}}, stranger, name}, how);
  };
  EXPECT_EQ(ask("named"), "named");
  EXPECT_EQ(ask("items"), "items") << "whatever it matches";
  EXPECT_EQ(ask("open"), "open");
  EXPECT_EQ(ask("other"), "no-rule");
  EXPECT_EQ(ask(""), "no-rule");
  EXPECT_EQ(ask("Named"), "no-rule");
}

TEST(Ruling, AsksForAKeyAloneWhereNoRuleMatchesRequests) {
  for (const auto source : {OriginalSource::path, OriginalSource::x_original}) {
    for (const auto& rules : {rules::RuleTable(), by_name_only}) {
      EXPECT_EQ(ruling({"GET", "/v1/authorize/a/../b", {}, stranger}, forward(source), rules), "key");
    }
  }
  http::Request own;
  own.method_text = "GET";
  own.path = "/v1/tokens/../x";
  EXPECT_EQ(rule_on_own(own, by_name_only).kind, Kind::key);
  EXPECT_EQ(rule_on_own(own, table).reason, Refusal::ambiguous_path);
  own.path = "/v1/tokens/ETH";
  EXPECT_EQ(rule_on_own(own, table).rule->name, "own");
}

TEST(Ruling, LetsAPreflightPassWhereThatIsWanted) {
  const Headers whole = {{"Origin", "https://a.example"}, {"Access-Control-Request-Method", "POST"}};
  const auto pass = forward(OriginalSource::path, Preflight::pass);
  EXPECT_EQ(ruling({"OPTIONS", "/v1/authorize/items/7", whole}, pass), "preflight");
  EXPECT_EQ(ruling({"OPTIONS", "/v1/authorize", whole}, pass), "preflight");
  EXPECT_EQ(ruling({"OPTIONS", "/v1/authorize/items/7", whole}, forward(OriginalSource::path)), "no-rule");
  EXPECT_EQ(ruling({"GET", "/v1/authorize/items/7", whole}, pass), "items");
  for (const auto& header : whole) {
    EXPECT_EQ(ruling({"OPTIONS", "/v1/authorize/items/7", {header}}, pass), "no-rule");
  }
  const auto by_header = forward(OriginalSource::x_original, Preflight::pass);
  Headers told = whole;
  told.push_back({"X-Original-URI", "/items/7"});
  told.push_back({"X-Original-Method", "OPTIONS"});
  EXPECT_EQ(ruling({"GET", "/v1/authorize", told}, by_header), "preflight");
  EXPECT_EQ(ruling({"GET", "/v1/rules/named/authorize", told, proxy, "named"}, by_header), "preflight");
  EXPECT_EQ(ruling({"GET", "/v1/authorize", told, stranger}, by_header), "original-request-unknown");
  EXPECT_EQ(ruling({"OPTIONS", "/v1/authorize", whole}, by_header), "original-request-unknown");
  EXPECT_EQ(ruling({"OPTIONS", "/v1/authorize", whole}, by_header, by_name_only), "key");
}

}  // namespace
}  // namespace latchkey::tokens_service
