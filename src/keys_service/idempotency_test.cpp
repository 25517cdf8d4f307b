// The same Idempotency-Key, the same answer.

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "keys_service/testing/test_service.hpp"

namespace latchkey::keys_service {
namespace {

using http::Method;

constexpr std::string_view body = R"({"userId":"alice","requestsPerMinute":60,"expiresIn":"1h"})";

class Idempotency : public testing::Test {
 protected:
  TestService t;
  const TestService::Headers once = {{"Idempotency-Key", "order-66"}};
};

TEST_F(Idempotency, ARepeatedCreateIsTheSameByteForByte) {
  const auto first = t.as_admin(Method::post, "/v1/keys", body, once);
  ASSERT_EQ(first.status, 201) << first.body;
  t.clock.advance(std::chrono::hours(2));  // past the key's expiry
  t.admin = t.mint(jwt::AdminRole::admin);
  const auto id = std::string(t.object(first).at("key").at("keyId").as_string());
  t.as_admin(Method::patch, "/v1/keys/" + id, R"({"disabled":true})");
  t.as_admin(Method::post, "/v1/signing-keys/rotate");
  const auto second = t.as_admin(Method::post, "/v1/keys", body, once);
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(second.headers, first.headers);
}

TEST_F(Idempotency, ARepeatedCreateOutlivesItsOwnExpiry) {
  constexpr std::string_view fixed = R"({"userId":"alice","requestsPerMinute":60,"expiresAt":"2026-01-01T00:30:00Z"})";
  const auto first = t.as_admin(Method::post, "/v1/keys", fixed, once);
  ASSERT_EQ(first.status, 201) << first.body;
  t.clock.advance(std::chrono::minutes(45));
  EXPECT_EQ(t.as_admin(Method::post, "/v1/keys", fixed, once).body, first.body);
  EXPECT_EQ(t.as_admin(Method::post, "/v1/keys", fixed).status, 400);
}

TEST_F(Idempotency, ATokenThatCountsNoMoreIsNotGivenOutAgain) {
  ASSERT_EQ(t.as_admin(Method::post, "/v1/keys", body, once).status, 201);
  ASSERT_EQ(t.as_admin(Method::post, "/v1/signing-keys/rotate", R"({"retirePrevious":true})").status, 200);
  const auto repeated = t.as_admin(Method::post, "/v1/keys", body, once);
  EXPECT_EQ(repeated.status, 409);
  EXPECT_EQ(t.problem(repeated), "signing-key-retired");
}

TEST_F(Idempotency, ARepeatedRotateRotatesOnce) {
  const auto made = t.create();
  const auto first = t.as_admin(Method::post, made.path + "/rotate", "", once);
  const auto second = t.as_admin(Method::post, made.path + "/rotate", "", once);
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(t.as_admin(Method::get, made.path).header("ETag"), first.header("ETag"));
}

TEST_F(Idempotency, AnotherRequestIsRefused) {
  t.as_admin(Method::post, "/v1/keys", body, once);
  const auto reply = t.as_admin(Method::post, "/v1/keys", R"({"userId":"bob","requestsPerMinute":60})", once);
  EXPECT_EQ(reply.status, 422);
  EXPECT_EQ(t.problem(reply), "idempotency-key-reused");
}

TEST_F(Idempotency, AUserWhomTheQueryNamesIsPartOfTheRequest) {
  ASSERT_EQ(t.as_admin(Method::put, "/v1/users?userId=alice", "{}", once).status, 201);
  EXPECT_EQ(t.as_admin(Method::put, "/v1/users?userId=alice", "{}", once).status, 201);
  EXPECT_EQ(t.problem(t.as_admin(Method::put, "/v1/users?userId=bob", "{}", once)), "idempotency-key-reused");
}

TEST_F(Idempotency, TheOrderOfMembersMakesNoOtherRequest) {
  const auto first =
      t.as_admin(Method::post, "/v1/keys", R"({"userId":"a","requestsPerMinute":60,"metadata":{"x":1.0,"y":2}})", once);
  ASSERT_EQ(first.status, 201) << first.body;
  const auto again =
      t.as_admin(Method::post, "/v1/keys",
                 R"({ "metadata" : {"y":2, "x":1.0}, "requestsPerMinute":60, "userId":"\u0061" })", once);
  EXPECT_EQ(again.body, first.body);
  const auto other =
      t.as_admin(Method::post, "/v1/keys", R"({"userId":"a","requestsPerMinute":60,"metadata":{"x":1.5,"y":2}})", once);
  EXPECT_EQ(t.problem(other), "idempotency-key-reused");
}

TEST_F(Idempotency, MalformedKeysAreRefused) {
  for (const std::string& key : {std::string(), std::string(129, 'x'), std::string("a b"), std::string("\xc3\xa4")}) {
    EXPECT_EQ(t.as_admin(Method::post, "/v1/keys", body, {{"Idempotency-Key", key}}).status, 400) << key;
  }
  EXPECT_EQ(t.as_admin(Method::post, "/v1/keys", body, {{"Idempotency-Key", "a"}, {"Idempotency-Key", "a"}}).status,
            400);
  EXPECT_EQ(t.as_admin(Method::post, "/v1/keys", body, {{"Idempotency-Key", std::string(128, 'x')}}).status, 201);
}

TEST_F(Idempotency, ManyAtOnceMakeOneKey) {
  std::vector<std::thread> clients;
  std::mutex mutex;
  std::set<std::string> answers;
  for (int i = 0; i < 16; ++i) {
    clients.emplace_back([&] {
      const auto reply = t.as_admin(Method::post, "/v1/keys", body, once);
      const std::lock_guard lock(mutex);
      answers.insert(std::to_string(reply.status) + reply.body);
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(answers.size(), 1u);
  EXPECT_EQ(t.object(t.as_admin(Method::get, "/v1/keys")).at("keys").as_array().size(), 1u);
}

}  // namespace
}  // namespace latchkey::keys_service
