// Every status of the routes for keys, over the whole service without a socket.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "http/problem.hpp"
#include "jwt/access_token.hpp"
#include "keys_service/testing/test_service.hpp"

namespace latchkey::keys_service {
namespace {

using http::Method;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class KeysRoutes : public testing::Test {
 protected:
  TestService t;
};

TEST_F(KeysRoutes, CreateShowsTheTokenOnce) {
  const auto reply = t.as_admin(Method::post, "/v1/keys",
                                R"({"userId":"alice","requestsPerMinute":60,"expiresIn":"30d","name":"laptop",)"
                                R"("metadata":{"team":"wallet"}})");
  ASSERT_EQ(reply.status, 201) << reply.body;
  EXPECT_EQ(reply.header("Cache-Control"), "no-store");
  const auto json = t.object(reply);
  const auto& key = json.at("key").as_object();
  std::vector<std::string> names;
  for (const auto& member : key) names.emplace_back(member.key());
  EXPECT_THAT(names, ElementsAre("keyId", "userId", "role", "name", "metadata", "requestsPerMinute", "plan", "limits",
                                 "scopes", "networks", "labels", "issuedAt", "previousValidUntil", "expiresAt",
                                 "status", "createdAt", "updatedAt", "updatedBy", "position", "effective"));
  EXPECT_EQ(key.at("userId"), "alice");
  EXPECT_EQ(key.at("role"), "user");
  EXPECT_EQ(key.at("metadata").at("team"), "wallet");
  EXPECT_EQ(key.at("requestsPerMinute"), 60);
  EXPECT_EQ(key.at("issuedAt"), "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(key.at("expiresAt"), "2026-01-31T00:00:00.000Z");
  EXPECT_EQ(key.at("status"), "active");
  EXPECT_EQ(key.at("updatedBy"), "ops");
  EXPECT_EQ(key.at("position"), json::string_view(reply.header("Latchkey-Position")));
  EXPECT_EQ(reply.header("Location"), "/v1/keys/" + std::string(key.at("keyId").as_string()));
  const std::string token(json.at("accessKey").as_string());
  const auto parsed = jwt::parse_access_token(token);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->claims.user_id, "alice");
  EXPECT_EQ(t.call(Method::get, "/v1/plan", {{"X-API-Key", token}}).status, 200);
}

TEST_F(KeysRoutes, CreateNamesAllThatIsWrong) {
  const auto reply = t.as_admin(Method::post, "/v1/keys",
                                R"({"requestsPerMinute":0,"expiresAt":"soon","name":7,"metadata":[],"a/b":1})");
  EXPECT_EQ(t.problem(reply), "invalid-request");
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(t.pointers(reply),
              UnorderedElementsAre("/userId", "/requestsPerMinute", "/expiresAt", "/name", "/metadata", "/a~1b"));
}

TEST_F(KeysRoutes, CreateTakesOneExpiry) {
  const auto both =
      t.as_admin(Method::post, "/v1/keys",
                 R"({"userId":"a","requestsPerMinute":1,"expiresAt":"2027-01-01T00:00:00Z","expiresIn":"1h"})");
  EXPECT_THAT(t.pointers(both), UnorderedElementsAre("/expiresAt", "/expiresIn"));
  const auto past =
      t.as_admin(Method::post, "/v1/keys", R"({"userId":"","requestsPerMinute":1,"expiresAt":"2020-01-01T00:00:00Z"})");
  EXPECT_THAT(t.pointers(past), UnorderedElementsAre("/userId", "/expiresAt"));
}

TEST_F(KeysRoutes, CreateRefusesWhatIsNoJsonObject) {
  for (const auto* body : {"", "[]", "{", "nul", R"({"userId":"a","userId":"b","requestsPerMinute":1})"}) {
    const auto reply = t.as_admin(Method::post, "/v1/keys", body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_THAT(t.pointers(reply), ElementsAre("")) << body;
  }
}

TEST_F(KeysRoutes, NumbersInMetadataComeBackAsTheyWereSent) {
  const std::string sent =
      R"({"big":123456789012345678901234567890,"price":1.10,"one":1.0,"e":1E2,"deep":[{"n":0.10}]})";
  const auto made = t.create(R"({"userId":"a","requestsPerMinute":1,"metadata":)" + sent + "}");
  EXPECT_THAT(t.as_admin(Method::get, made.path).body, testing::HasSubstr("\"metadata\":" + sent + ","));
  const auto merged =
      t.call(Method::patch, made.path, {t.bearer(t.admin), {"Content-Type", "application/merge-patch+json"}},
             R"({"metadata":{"one":null,"more":{"x":2.50,"y":null},"deep":3.0}})");
  ASSERT_EQ(merged.status, 200) << merged.body;
  EXPECT_THAT(
      merged.body,
      testing::HasSubstr(
          R"("metadata":{"big":123456789012345678901234567890,"price":1.10,"e":1E2,"deep":3.0,"more":{"x":2.50}},)"));
  EXPECT_THAT(t.as_admin(Method::get, "/v1/changes").body, testing::HasSubstr(R"("more":{"x":2.50})"));
}

TEST_F(KeysRoutes, RequestsPerMinuteIsWholeExactly) {
  for (const std::string_view number : {"0.99999999999999999999", "1.00000000000000000001", "1e-400", "60.5"}) {
    const auto reply =
        t.as_admin(Method::post, "/v1/keys", fmt::format(R"({{"userId":"a","requestsPerMinute":{}}})", number));
    EXPECT_EQ(reply.status, 400) << number;
    EXPECT_THAT(t.pointers(reply), ElementsAre("/requestsPerMinute")) << number;
  }
  const auto reply = t.as_admin(Method::post, "/v1/keys", R"({"userId":"a","requestsPerMinute":600.00e-1})");
  EXPECT_EQ(t.object(reply).at("key").at("requestsPerMinute").as_int64(), 60);
}

TEST_F(KeysRoutes, ATooLongDurationHearsItsBound) {
  const auto made = t.create();
  const auto expiry =
      t.as_admin(Method::post, "/v1/keys", R"({"userId":"a","requestsPerMinute":1,"expiresIn":"40000d"})");
  EXPECT_EQ(expiry.status, 400);
  EXPECT_THAT(expiry.body, testing::HasSubstr(R"(at most \"36600d\")"));
  for (const std::string_view grace : {"31d", "40000d", "soon"}) {
    const auto reply = t.as_admin(Method::post, made.path + "/rotate", fmt::format(R"({{"gracePeriod":"{}"}})", grace));
    EXPECT_THAT(reply.body, testing::HasSubstr(R"(at most \"30d\")")) << grace;
  }
}

TEST_F(KeysRoutes, BodiesAreJson) {
  const std::string body = R"({"userId":"a","requestsPerMinute":1})";
  const std::vector<std::pair<std::string, int>> cases = {{"application/json", 201},
                                                          {"Application/JSON; Charset=\"UTF-8\"", 201},
                                                          {"application/json; charset=latin1", 415},
                                                          {"application/x-www-form-urlencoded", 415},
                                                          {"text/plain", 415}};
  for (const auto& [type, status] : cases) {
    const auto reply = t.call(Method::post, "/v1/keys", {t.bearer(t.admin), {"Content-Type", type}}, body);
    EXPECT_EQ(reply.status, status) << type;
  }
  EXPECT_EQ(t.problem(t.call(Method::post, "/v1/keys", {t.bearer(t.admin)}, body)), "unsupported-media-type");
}

TEST_F(KeysRoutes, GetHasAnETag) {
  const auto made = t.create();
  const auto reply = t.as_admin(Method::get, made.path);
  EXPECT_EQ(t.as_admin(Method::get, "/v1/keys/%30" + made.path.substr(10)).body, reply.body) << "the 0 escaped";
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("ETag"), made.etag);
  EXPECT_EQ(t.object(reply).at("keyId"), json::string_view(made.id));
  EXPECT_TRUE(t.object(reply).at("expiresAt").is_null());
  const auto unchanged = t.as_admin(Method::get, made.path, "", {{"If-None-Match", made.etag}});
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_TRUE(unchanged.body.empty());
  EXPECT_EQ(t.as_admin(Method::get, made.path, "", {{"If-None-Match", "\"999\""}}).status, 200);
}

TEST_F(KeysRoutes, UnknownAndMalformedIdsAreNotFound) {
  for (const std::string path : {"/v1/keys/0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d", "/v1/keys/x"}) {
    EXPECT_EQ(t.problem(t.as_admin(Method::get, path)), "not-found");
    EXPECT_EQ(t.as_admin(Method::patch, path, "{}").status, 404);
    EXPECT_EQ(t.as_admin(Method::delete_, path).status, 404);
    EXPECT_EQ(t.as_admin(Method::post, path + "/rotate").status, 404);
  }
}

TEST_F(KeysRoutes, PatchChangesWhatIsNamed) {
  const auto made = t.create();
  const auto reply = t.as_admin(Method::patch, made.path, R"({"requestsPerMinute":5,"expiresIn":"1h"})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(t.object(reply).at("requestsPerMinute"), 5);
  EXPECT_EQ(t.object(reply).at("expiresAt"), "2026-01-01T01:00:00.000Z");
  EXPECT_EQ(t.object(reply).at("position"), json::string_view(reply.header("Latchkey-Position")));
  const auto never = t.as_admin(Method::patch, made.path, R"({"expiresAt":null})");
  EXPECT_TRUE(t.object(never).at("expiresAt").is_null());
}

TEST_F(KeysRoutes, PatchNamesAllThatIsWrong) {
  const auto made = t.create();
  const auto reply =
      t.as_admin(Method::patch, made.path, R"({"requestsPerMinute":1.5,"disabled":"no","name":null,"userId":"eve"})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(t.pointers(reply), UnorderedElementsAre("/requestsPerMinute", "/disabled", "/name", "/userId"));
}

TEST_F(KeysRoutes, MergePatchClearsAndMerges) {
  const auto made = t.create(R"({"userId":"a","requestsPerMinute":1,"name":"n","metadata":{"x":1,"y":2}})");
  const auto reply =
      t.call(Method::patch, made.path, {t.bearer(t.admin), {"Content-Type", "application/merge-patch+json"}},
             R"({"name":null,"metadata":{"x":null,"z":3}})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(t.object(reply).at("name"), "");
  EXPECT_EQ(json::serialize(t.object(reply).at("metadata")), R"({"y":2,"z":3})");
}

TEST_F(KeysRoutes, DisableTwiceIsOneChange) {
  const auto made = t.create();
  const auto first = t.as_admin(Method::patch, made.path, R"({"disabled":true})");
  const auto second = t.as_admin(Method::patch, made.path, R"({"disabled":true})");
  EXPECT_EQ(t.object(first).at("status"), "disabled");
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.header("ETag"), first.header("ETag"));
  EXPECT_EQ(second.header("Latchkey-Position"), first.header("Latchkey-Position"));
}

TEST_F(KeysRoutes, IfMatchGuardsEveryMutation) {
  const auto made = t.create();
  const TestService::Headers stale = {{"If-Match", "\"999\""}};
  EXPECT_EQ(t.problem(t.as_admin(Method::patch, made.path, R"({"name":"x"})", stale)), "precondition-failed");
  EXPECT_EQ(t.as_admin(Method::post, made.path + "/rotate", "", stale).status, 412);
  EXPECT_EQ(t.as_admin(Method::delete_, made.path, "", stale).status, 412);
  EXPECT_EQ(t.as_admin(Method::post, made.path + "/rotate", "", {{"If-Match", "W/\"999\""}}).status, 412);
  EXPECT_EQ(t.as_admin(Method::patch, made.path, R"({"name":"x"})", {{"If-Match", "\"9\", " + made.etag}}).status, 200);
  EXPECT_EQ(t.as_admin(Method::patch, made.path, R"({"name":"y"})", {{"If-Match", made.etag}}).status, 412);
  EXPECT_EQ(t.as_admin(Method::patch, made.path, R"({"name":"y"})", {{"If-Match", "W/" + made.etag}}).status, 412);
  const auto weakened = "W/" + t.as_admin(Method::get, made.path).header("ETag");  // as a compressing proxy leaves it
  EXPECT_EQ(t.as_admin(Method::patch, made.path, R"({"name":"z"})", {{"If-Match", weakened}}).status, 200);
  EXPECT_EQ(t.as_admin(Method::delete_, made.path, "", {{"If-Match", "*"}}).status, 204);
}

TEST_F(KeysRoutes, RotateReplacesTheToken) {
  const auto made = t.create();
  const auto reply = t.as_admin(Method::post, made.path + "/rotate");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_FALSE(reply.header("Latchkey-Position").empty());
  const std::string fresh(t.object(reply).at("accessKey").as_string());
  EXPECT_NE(fresh, made.token);
  EXPECT_EQ(t.problem(t.call(Method::get, "/v1/plan", {t.bearer(made.token)})), "key-rotated");
  EXPECT_EQ(t.call(Method::get, "/v1/plan", {t.bearer(fresh)}).status, 200);
}

TEST_F(KeysRoutes, RotateLeavesAGrace) {
  const auto made = t.create();
  const auto rotated = t.as_admin(Method::post, made.path + "/rotate", R"({"gracePeriod":"1m"})");
  EXPECT_EQ(rotated.status, 200);
  const auto grace_of = [](const json::value& key) { return key.at("previousValidUntil"); };
  EXPECT_EQ(grace_of(t.object(rotated).at("key")), "2026-01-01T00:01:00.000Z") << rotated.body;
  EXPECT_EQ(grace_of(t.object(t.as_admin(Method::get, made.path))), "2026-01-01T00:01:00.000Z");
  EXPECT_EQ(t.call(Method::get, "/v1/plan", {t.bearer(made.token)}).status, 200);
  t.clock.advance(std::chrono::seconds(60));
  EXPECT_EQ(t.problem(t.call(Method::get, "/v1/plan", {t.bearer(made.token)})), "key-rotated");
  for (const auto* body :
       {R"({"gracePeriod":"31d"})", R"({"gracePeriod":60})", R"({"gracePeriod":null})", R"({"x":1})"}) {
    EXPECT_EQ(t.as_admin(Method::post, made.path + "/rotate", body).status, 400) << body;
  }
}

TEST_F(KeysRoutes, DeletedIsFinal) {
  const auto made = t.create();
  const auto reply = t.as_admin(Method::delete_, made.path);
  EXPECT_EQ(reply.status, 204);
  EXPECT_FALSE(reply.header("Latchkey-Position").empty());
  EXPECT_EQ(t.as_admin(Method::delete_, made.path).status, 204);
  EXPECT_EQ(t.problem(t.as_admin(Method::patch, made.path, R"({"disabled":false})")), "key-deleted");
  EXPECT_EQ(t.as_admin(Method::post, made.path + "/rotate").status, 409);
  EXPECT_EQ(t.object(t.as_admin(Method::get, made.path)).at("status"), "deleted");
  EXPECT_EQ(t.problem(t.call(Method::get, "/v1/plan", {t.bearer(made.token)})), "key-deleted");
}

TEST_F(KeysRoutes, ListPagesToTheEnd) {
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) made.insert(made.begin(), t.create().id), t.clock.advance(std::chrono::seconds(1));
  std::vector<std::string> seen;
  std::string target = "/v1/keys?limit=2";
  for (int pages = 0; pages < 3; ++pages) {
    const auto page = t.object(t.as_admin(Method::get, target));
    for (const auto& key : page.at("keys").as_array()) seen.emplace_back(key.at("keyId").as_string());
    const auto& cursor = page.at("nextCursor");
    EXPECT_EQ(cursor.is_null(), pages == 2);
    if (cursor.is_string()) target = "/v1/keys?limit=2&cursor=" + std::string(cursor.as_string());
  }
  EXPECT_EQ(seen, made);
}

TEST_F(KeysRoutes, ListFilters) {
  t.create(R"({"userId":"alice","requestsPerMinute":1,"name":"Laptop"})");
  t.clock.advance(std::chrono::milliseconds(1));  // key ids are in the order of their milliseconds
  const auto bob = t.create(R"({"userId":"bob","requestsPerMinute":1})");
  t.as_admin(Method::patch, bob.path, R"({"disabled":true})");
  const auto count = [&](std::string_view query) {
    return t.object(t.as_admin(Method::get, std::string("/v1/keys?").append(query))).at("keys").as_array().size();
  };
  EXPECT_EQ(count(""), 2u);
  EXPECT_EQ(count("userId=alice"), 1u);
  EXPECT_EQ(count("status=disabled"), 1u);
  EXPECT_EQ(count("name=lap"), 1u);
  EXPECT_EQ(count("userId=alice&status=disabled"), 0u);
  t.clock.advance(std::chrono::milliseconds(1));
  t.create(R"({"userId":"carol","requestsPerMinute":1,"expiresIn":"1d"})");
  EXPECT_EQ(count("expires=never"), 2u);
  EXPECT_EQ(count("expiresBefore=9999-12-31T00:00:00Z"), 1u);
  EXPECT_EQ(count("expiresBefore=1970-01-02T00:00:00Z"), 0u);
  const auto first = [&](std::string_view query) {
    const auto page = t.object(t.as_admin(Method::get, std::string("/v1/keys?limit=1&order=").append(query)));
    return std::string(page.at("keys").at(0).at("userId").as_string());
  };
  EXPECT_EQ(first("oldest"), "alice");
  EXPECT_EQ(first("newest"), "carol");
  for (const auto* query : {"expires=2027-01-01T00:00:00Z", "expiresBefore=soon", "order=user", "expiresBefore="}) {
    EXPECT_EQ(t.as_admin(Method::get, std::string("/v1/keys?").append(query)).status, 400) << query;
  }
}

TEST_F(KeysRoutes, LabelsAreSetReplacedMergedAndSelected) {
  const auto created = t.as_admin(Method::post, "/v1/keys",
                                  R"({"userId":"a","requestsPerMinute":1,"labels":{"team":"x","env":"prod"}})");
  ASSERT_EQ(created.status, 201) << created.body;
  const auto key = t.object(created).at("key").as_object();
  EXPECT_EQ(json::serialize(key.at("labels")), R"({"env":"prod","team":"x"})");
  const std::string path = "/v1/keys/" + std::string(key.at("keyId").as_string());
  const auto labels = [&](const http::Reply& reply) { return json::serialize(t.object(reply).at("labels")); };
  EXPECT_EQ(labels(t.call(Method::patch, path, {t.bearer(t.admin), {"Content-Type", "application/merge-patch+json"}},
                          R"({"labels":{"env":null,"tier":"1"}})")),
            R"({"team":"x","tier":"1"})");
  EXPECT_EQ(labels(t.as_admin(Method::patch, path, R"({"name":"n"})")), R"({"team":"x","tier":"1"})");
  EXPECT_EQ(labels(t.as_admin(Method::patch, path, R"({"labels":{"team":"y"}})")), R"({"team":"y"})");
  const auto matched = [&](const char* selector) {
    return t.object(t.as_admin(Method::get, std::string("/v1/keys?selector=") + selector)).at("keys").as_array().size();
  };
  EXPECT_EQ(matched("team=y"), 1U);
  EXPECT_EQ(matched("team=y,!env"), 1U);
  EXPECT_EQ(matched("team!=y"), 0U);
  EXPECT_EQ(matched("!team"), 0U);
  EXPECT_EQ(labels(t.as_admin(Method::patch, path, R"({"labels":null})")), "{}");
  EXPECT_EQ(matched("!team"), 1U);
}

TEST_F(KeysRoutes, WrongLabelsAndSelectorsAreNamed) {
  const auto wrong = t.as_admin(Method::post, "/v1/keys",
                                R"({"userId":"a","requestsPerMinute":1,"labels":{"-":"x","a":1,"b":"c d"}})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(t.pointers(wrong), UnorderedElementsAre("/labels/-", "/labels/a", "/labels/b"));
  for (const char* selector : {"", "team%20in", "a=b,", "!a=b"}) {
    const auto reply = t.as_admin(Method::get, std::string("/v1/keys?selector=") + selector);
    EXPECT_EQ(reply.status, 400) << selector;
    EXPECT_THAT(t.pointers(reply), ElementsAre("/selector")) << selector;
  }
}

TEST_F(KeysRoutes, ListRefusesOddQueries) {
  for (const auto* query : {"limit=0", "limit=501", "limit=x", "limit=1&limit=2", "cursor=%%", "cursor=abc",
                            "cursor=", "status=gone", "colour=red"}) {
    const auto reply = t.as_admin(Method::get, std::string("/v1/keys?") + query);
    EXPECT_EQ(reply.status, 400) << query;
    EXPECT_EQ(t.problem(reply), "invalid-request") << query;
  }
}

TEST_F(KeysRoutes, ThousandsOfFaultsAreNotAnsweredOneByOne) {
  std::string body = "{";
  for (int i = 0; i < 5000; ++i) body += "\"m" + std::to_string(i) + "\":1,";
  body.back() = '}';
  const auto reply = t.as_admin(Method::post, "/v1/keys", body);
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(t.object(reply).at("errors").as_array().size(), http::max_errors);
}

}  // namespace
}  // namespace latchkey::keys_service
