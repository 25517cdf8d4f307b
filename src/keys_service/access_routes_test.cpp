// Which token may do what, and what the service says about itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <regex>
#include <set>
#include <thread>

#include "jwt/access_token.hpp"
#include "keys_service/testing/test_service.hpp"

namespace latchkey::keys_service {
namespace {

using http::Method;

class AccessRoutes : public testing::Test {
 protected:
  TestService t;
};

// The service's own table, so that none is forgotten.
std::vector<std::pair<Method, std::string>> routes_that_need(service::Needs needs) {
  std::vector<std::pair<Method, std::string>> found;
  for (const auto& route : route_table) {
    const std::string path = std::regex_replace(std::string(route.path), std::regex(R"(\{\w+\})"), "x");
    if (route.needs == needs) found.emplace_back(route.method, path);
  }
  return found;
}

const auto viewer_routes = routes_that_need(service::Needs::viewer);
const auto admin_routes = routes_that_need(service::Needs::admin);

TEST_F(AccessRoutes, AdminRoutesRefuseWhateverIsNoAdminToken) {
  const auto key = t.create();
  const std::string expired = t.mint(jwt::AdminRole::admin, std::chrono::seconds(1));
  const std::string elsewhere = t.mint(jwt::AdminRole::admin, std::chrono::hours(1), "another");
  t.clock.advance(std::chrono::seconds(2));
  struct Case {
    TestService::Headers headers;
    int status;
    std::string problem, challenge;
  };
  const std::string invalid = "Bearer error=\"invalid_token\"";
  const std::string scope = "Bearer error=\"insufficient_scope\"";
  const std::vector<Case> cases = {
      {{}, 401, "no-credentials", "Bearer"},
      {{{"Authorization", "Basic b3BzOm9wcw=="}}, 401, "no-credentials", "Bearer"},
      {{t.bearer("x.y.z")}, 401, "invalid-token", invalid},
      {{t.bearer(t.admin.substr(0, t.admin.size() - 4) + "AAAA")}, 401, "invalid-token", invalid},
      {{t.bearer(expired)}, 401, "invalid-token", invalid},
      {{t.bearer(elsewhere)}, 401, "invalid-token", invalid},
      {{{"X-API-Key", t.admin}}, 401, "invalid-token", invalid},
      {{t.bearer(key.token)}, 403, "wrong-kind", scope},
      {{{"X-API-Key", key.token}}, 403, "wrong-kind", scope},
      {{t.bearer(t.admin), t.bearer(t.viewer)}, 400, "ambiguous-credentials", ""},
      {{{"X-API-Key", t.admin}, {"Authorization", "Basic YTpi"}}, 401, "invalid-token", invalid},
      {{t.bearer(t.admin), {"X-API-Key", key.token}}, 400, "ambiguous-credentials", ""},
  };
  auto all = viewer_routes;
  all.insert(all.end(), admin_routes.begin(), admin_routes.end());
  for (const auto& [method, path] : all) {
    for (const auto& c : cases) {
      const auto reply = t.call(method, path, c.headers);
      EXPECT_EQ(reply.status, c.status) << path << ' ' << c.problem;
      EXPECT_EQ(t.problem(reply), c.problem) << path;
      EXPECT_EQ(reply.header("WWW-Authenticate"), c.challenge) << path << ' ' << c.problem;
    }
  }
}

TEST_F(AccessRoutes, ViewersReadOnly) {
  for (const auto& [method, path] : viewer_routes) {
    EXPECT_NE(t.call(method, path, {t.bearer(t.viewer)}).status, 403) << path;
  }
  for (const auto& [method, path] : admin_routes) {
    const auto reply = t.call(method, path, {t.bearer(t.viewer)});
    EXPECT_EQ(t.problem(reply), "wrong-role") << path;
    EXPECT_EQ(reply.header("WWW-Authenticate"), "Bearer error=\"insufficient_scope\"");
  }
}

TEST_F(AccessRoutes, ARememberedAdminTokenStillExpires) {
  const std::string token = t.mint(jwt::AdminRole::admin, std::chrono::seconds(10));
  EXPECT_EQ(t.call(Method::get, "/v1/keys", {t.bearer(token)}).status, 200);
  t.clock.advance(std::chrono::milliseconds(9'999));
  EXPECT_EQ(t.call(Method::get, "/v1/keys", {t.bearer(token)}).status, 200);
  t.clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(t.call(Method::get, "/v1/keys", {t.bearer(token)}).status, 401);
}

// What is watched when the store falls silent: each worker may then wait for it.
TEST_F(AccessRoutes, PagesAndMetricsDoNotWaitForTheWorkers) {
  std::promise<void> end;
  const std::shared_future<void> ended(end.get_future());
  std::atomic<int> gave_up = 0;
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(t.pool.submit([ended, &gave_up] {
      if (ended.wait_for(std::chrono::seconds(10)) != std::future_status::ready) ++gave_up;
    }));
  }
  for (const char* path : {"/metrics", "/", "/docs", "/problems/not-found", "/openapi.json", "/healthz", "/readyz"}) {
    EXPECT_EQ(t.call(Method::get, path).status, 200);
    EXPECT_EQ(gave_up, 0) << path << " has waited";
  }
  end.set_value();
}

TEST_F(AccessRoutes, ARememberedAdminTokenGoesWithItsKey) {
  EXPECT_EQ(t.call(Method::get, "/v1/keys", {t.bearer(t.admin)}).status, 200);
  jwt::AdminKeys others;
  EXPECT_TRUE(others.add_public_key(jwt::Ed25519PrivateKey::generate().public_key()));
  t.verifier.replace_keys(std::move(others));
  EXPECT_EQ(t.call(Method::get, "/v1/keys", {t.bearer(t.admin)}).status, 401);
}

TEST_F(AccessRoutes, ARefusalSaysWhyOnceTheSignatureIsGood) {
  const auto detail = [&](const std::string& token) {
    return std::string(t.object(t.call(Method::get, "/v1/keys", {t.bearer(token)})).at("detail").as_string());
  };
  const std::string expired = t.mint(jwt::AdminRole::admin, std::chrono::seconds(1));
  const std::string elsewhere = t.mint(jwt::AdminRole::admin, std::chrono::hours(1), "another");
  t.clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(detail(expired), "The admin token has expired.");
  EXPECT_EQ(detail(elsewhere), "The admin token is for another audience than this service.");
  EXPECT_EQ(detail(expired.substr(0, expired.size() - 4) + "AAAA"), "The admin token is not valid.");
}

TEST(AdminGateLog, IsOneLineOfAKindUpToABound) {
  ManualClock clock;
  std::vector<std::string> lines;
  const jwt::AdminVerifier verifier({}, {});
  AdminGate gate(verifier, clock, [&](std::string_view line) { lines.emplace_back(line); });
  const http::Header header{"Authorization", "Bearer x.y.z"};
  http::Request request;
  request.headers = {&header, 1};
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(gate.admit(request, jwt::AdminRole::viewer));
  EXPECT_EQ(lines.size(), 5U);
  clock.advance(std::chrono::seconds(1));
  EXPECT_FALSE(gate.admit(request, jwt::AdminRole::viewer));
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_THAT(lines.back(), testing::HasSubstr("(95 more of this kind before)"));
  EXPECT_THAT(lines, testing::Each(testing::Not(testing::HasSubstr("x.y.z"))));
}

TEST_F(AccessRoutes, PlanShowsTheHoldersOwnKey) {
  const auto made = t.create();
  const auto reply = t.call(Method::get, "/v1/plan", {t.bearer(made.token)});
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto plan = t.object(reply);
  EXPECT_EQ(plan.as_object().size(), 8u);
  EXPECT_EQ(plan.at("keyId"), json::string_view(made.id));
  EXPECT_EQ(plan.at("userId"), "alice");
  EXPECT_EQ(plan.at("requestsPerMinute"), 60);
  ASSERT_EQ(plan.at("limits").as_array().size(), 1U);
  EXPECT_EQ(plan.at("limits").as_array()[0].at("requests"), 60);
  EXPECT_TRUE(plan.at("expiresAt").is_null());
  EXPECT_EQ(plan.at("status"), "active");
  EXPECT_EQ(t.call(Method::get, "/v1/plan", {{"X-API-Key", made.token}}).status, 200);
}

TEST_F(AccessRoutes, HolderRoutesRefuseInOrder) {
  const auto made = t.create(R"({"userId":"a","requestsPerMinute":1,"expiresIn":"1h"})");
  const auto plan = [&](const std::string& token) {
    return t.problem(t.call(Method::get, "/v1/plan", {t.bearer(token)}));
  };
  EXPECT_EQ(t.problem(t.call(Method::get, "/v1/plan")), "no-credentials");
  EXPECT_EQ(plan(t.admin), "wrong-kind");
  EXPECT_EQ(plan("x.y.z"), "invalid-token");
  const auto dot = made.token.rfind('.');
  EXPECT_EQ(plan(made.token.substr(0, dot + 1) + std::string(made.token.size() - dot - 1, 'A')), "invalid-token");
  EXPECT_EQ(t.problem(t.call(Method::get, "/v1/plan?access_token=" + made.token)), "ambiguous-credentials");
  t.clock.advance(std::chrono::hours(1));
  EXPECT_EQ(plan(made.token), "key-expired");
  t.admin = t.mint(jwt::AdminRole::admin);
  t.as_admin(Method::patch, made.path, R"({"disabled":true})");
  EXPECT_EQ(plan(made.token), "key-disabled");
  t.as_admin(Method::delete_, made.path);
  EXPECT_EQ(plan(made.token), "key-deleted");
}

TEST_F(AccessRoutes, HoldersDisableTheirOwnKey) {
  const auto made = t.create();
  for (const char* body : {"[]", "{", R"({"keyId":"x"})"}) {
    EXPECT_EQ(t.problem(t.call(Method::post, "/v1/plan/disable", {t.bearer(made.token)}, body)), "invalid-request");
  }
  const auto reply = t.call(Method::post, "/v1/plan/disable", {t.bearer(made.token)}, "{ }\n");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(t.object(reply).at("status"), "disabled");
  EXPECT_FALSE(reply.header("Latchkey-Position").empty());
  EXPECT_EQ(t.object(t.as_admin(Method::get, made.path)).at("updatedBy"), json::string_view("key:" + made.id));
  EXPECT_EQ(t.problem(t.call(Method::post, "/v1/plan/disable", {t.bearer(made.token)})), "key-disabled");
  EXPECT_EQ(t.call(Method::post, "/v1/plan/disable", {t.bearer(t.admin)}).status, 403);
}

TEST_F(AccessRoutes, SigningKeysRotateAndRetire) {
  const auto early = t.create();
  const auto kept = t.as_admin(Method::post, "/v1/signing-keys/rotate");
  ASSERT_EQ(kept.status, 200) << kept.body;
  EXPECT_FALSE(kept.header("Latchkey-Position").empty());
  EXPECT_EQ(t.call(Method::get, "/v1/plan", {t.bearer(early.token)}).status, 200);
  const auto late = t.create();
  EXPECT_NE(jwt::parse_access_token(early.token)->kid, jwt::parse_access_token(late.token)->kid);
  EXPECT_EQ(t.object(t.call(Method::get, "/.well-known/jwks.json")).at("keys").as_array().size(), 2u);

  EXPECT_EQ(t.as_admin(Method::post, "/v1/signing-keys/rotate", R"({"retirePrevious":true})").status, 200);
  EXPECT_EQ(t.problem(t.call(Method::get, "/v1/plan", {t.bearer(late.token)})), "invalid-token");
  const auto jwks = t.call(Method::get, "/.well-known/jwks.json");
  EXPECT_EQ(t.object(jwks).at("keys").as_array().size(), 1u);
  EXPECT_EQ(jwks.header("Cache-Control"), "public, max-age=60");
  EXPECT_EQ(t.object(t.as_admin(Method::get, "/v1/signing-keys")).at("keys").as_array().size(), 3u);
  EXPECT_EQ(t.as_admin(Method::post, "/v1/signing-keys/rotate", R"({"retirePrevious":1})").status, 400);
}

TEST_F(AccessRoutes, ARestartFindsItsSigningKey) {
  const auto made = t.create();
  auto again = commands::KeyRing::open(t.directory.path(), t.store, t.clock.wall());
  ASSERT_TRUE(again);
  const auto id = *KeyId::parse(made.id);
  const auto kid = jwt::parse_access_token(made.token)->kid;
  EXPECT_EQ((*again)->mint(**t.store.find_key(id), kid)->reveal(), made.token);
  const auto file = t.directory.path() / "secrets" / "signing" / (kid + ".pem");
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(file).permissions(), perms::owner_read | perms::owner_write);
  EXPECT_EQ(std::filesystem::status(file.parent_path()).permissions(), perms::owner_all);
  std::filesystem::remove(file);
  EXPECT_FALSE(commands::KeyRing::open(t.directory.path(), t.store, t.clock.wall()));
}

TEST_F(AccessRoutes, ThePublicPagesAnswer) {
  EXPECT_EQ(t.call(Method::get, "/healthz").status, 200);
  EXPECT_EQ(t.object(t.call(Method::get, "/readyz")).at("status"), "ready");
  EXPECT_THAT(t.call(Method::get, "/metrics").body, testing::HasSubstr("latchkey_keys_requests_total"));
  for (const char* path : {"/", "/docs", "/problems", "/problems/key-disabled"}) {
    const auto page = t.call(Method::get, path);
    EXPECT_THAT(page.header("Content-Security-Policy"), testing::HasSubstr("default-src 'none'"));
    EXPECT_THAT(page.body, testing::HasSubstr("<html lang="));
  }
  EXPECT_EQ(t.call(Method::get, "/problems/key-lost").status, 404);
}

TEST_F(AccessRoutes, TheDescriptionNamesEveryRouteAndNoOther) {
  std::vector<std::string> described;
  const auto document = t.object(t.call(Method::get, "/openapi.json"));
  for (const auto& path : document.at("paths").as_object()) {
    for (const auto& member : path.value().as_object()) {
      if (member.key() == "parameters") continue;
      std::string name(member.key());
      std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
      const auto& security = member.value().at("security").as_array();
      const std::string needs = security.empty() ? "" : std::string(security[0].as_object().begin()->key());
      described.push_back(name + ' ' + std::string(path.key()) + ' ' + needs);
    }
  }
  std::vector<std::string> served;
  // No API: a generated client has no use for them.
  const std::set<std::string_view> documents = {"/openapi.json", "/metrics"};
  const std::map<service::Needs, std::string> schemes = {{service::Needs::nothing, ""},
                                                         {service::Needs::store, ""},
                                                         {service::Needs::key, "accessKey"},
                                                         {service::Needs::viewer, "adminToken"},
                                                         {service::Needs::admin, "adminToken"}};
  for (const auto& route : route_table) {
    if (documents.contains(route.path) || pages::is_page(route.path)) continue;
    served.push_back(std::string(http::to_string(route.method)) + ' ' + std::string(route.path) + ' ' +
                     schemes.at(route.needs));
  }
  EXPECT_THAT(described, testing::UnorderedElementsAreArray(served));
}

TEST_F(AccessRoutes, AFullQueueIsOverloaded) {
  TestService small(1);
  std::promise<void> gate;
  auto open = gate.get_future().share();
  std::atomic<int> waiting{0};
  for (int i = 0; i < 4; ++i) {  // one for each worker
    while (!small.pool.submit([open, &waiting] { ++waiting, open.wait(); })) std::this_thread::yield();
  }
  while (waiting < 4) std::this_thread::yield();
  while (small.pool.submit([open] { open.wait(); })) {
  }
  const auto reply = small.as_admin(Method::get, "/v1/keys");
  EXPECT_EQ(small.problem(reply), "overloaded");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.header("Retry-After"), "1");
  EXPECT_EQ(small.as_admin(Method::get, "/v1/keys").status, 503);
  EXPECT_EQ(small.call(Method::get, "/healthz").status, 200);
  const std::string metrics = small.metrics.render();
  EXPECT_THAT(metrics, testing::HasSubstr("\nlatchkey_keys_overloaded_total 2\n"));
  gate.set_value();
}

}  // namespace
}  // namespace latchkey::keys_service
