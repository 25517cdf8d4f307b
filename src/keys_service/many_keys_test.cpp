// One request for many keys, and the end of a grace.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/many_keys.hpp"
#include "keys_service/testing/test_service.hpp"

namespace latchkey::keys_service {
namespace {

using http::Method;
using testing::ElementsAre;

class ManyKeys : public testing::Test {
 protected:
  std::string create(std::string_view user, std::string_view labels = "{}") {
    return t.create(fmt::format(R"({{"userId":"{}","requestsPerMinute":60,"labels":{}}})", user, labels)).id;
  }
  http::Reply post(std::string_view verb, std::string_view body, std::string_view query = "") {
    return t.as_admin(Method::post, fmt::format("/v1/keys:{}{}", verb, query), body);
  }
  std::string status_of(const std::string& id) {
    return std::string(t.object(t.as_admin(Method::get, "/v1/keys/" + id)).at("status").as_string());
  }
  std::int64_t changed(const http::Reply& reply) {
    EXPECT_EQ(reply.status, 200) << reply.body;
    return t.object(reply).at("changed").as_int64();
  }
  TestService t;
};

TEST_F(ManyKeys, ASelectorDisablesWhatItMeansAndNothingElse) {
  const auto a = create("alice", R"({"team":"x"})"), b = create("bob", R"({"team":"x","env":"prod"})");
  const auto c = create("alice", R"({"team":"y"})"), d = create("alice");
  const auto reply = post("disable", R"({"selector":"team=x"})");
  EXPECT_EQ(changed(reply), 2);
  EXPECT_EQ(t.object(reply).at("matched"), 2);
  EXPECT_EQ(t.object(reply).at("position"), json::string_view(reply.header("Latchkey-Position")));
  EXPECT_EQ(status_of(a) + status_of(b) + status_of(c) + status_of(d), "disableddisabledactiveactive");
  EXPECT_EQ(changed(post("disable", R"({"selector":"team=x"})")), 0) << "repeating is harmless";
  EXPECT_EQ(changed(post("enable", R"({"selector":"team=x,!env"})")), 1);
  EXPECT_EQ(changed(post("disable", R"({"userId":"alice"})")), 3);
  EXPECT_EQ(changed(post("enable", "", "?userId=alice")), 3);
  EXPECT_EQ(status_of(b), "disabled");
}

TEST_F(ManyKeys, ADryRunSaysWhatWouldBeDoneAndDoesNothing) {
  for (int i = 0; i < 12; ++i) create("alice");
  const auto before = t.store.position()->seq;
  const auto reply = t.object(post("delete", R"({"userId":"alice"})", "?dryRun=true"));
  EXPECT_EQ(reply.at("matched"), 12);
  EXPECT_EQ(reply.at("sample").as_array().size(), 10U);
  EXPECT_EQ(reply.at("sample").at(0).at("userId"), "alice");
  EXPECT_EQ(t.store.position()->seq, before);
  EXPECT_EQ(t.object(post("disable", R"({"userId":"alice","dryRun":true})")).at("confirm"), reply.at("confirm"));
}

TEST_F(ManyKeys, ADeletionWantsTheConfirmationOfTheVeryKeys) {
  const auto a = create("alice");
  const auto none = post("delete", R"({"userId":"alice"})");
  EXPECT_EQ(none.status, 400);
  EXPECT_THAT(t.pointers(none), ElementsAre("/confirm"));
  const auto preview = t.object(post("delete", R"({"userId":"alice","dryRun":true})"));
  const auto body = fmt::format(R"({{"userId":"alice","confirm":"{}"}})", preview.at("confirm").as_string().c_str());
  const auto b = create("alice");
  const auto other = post("delete", body);
  EXPECT_EQ(other.status, 409) << other.body;
  EXPECT_NE(other.body.find("/problems/confirmation-outdated"), std::string::npos) << other.body;
  EXPECT_EQ(status_of(a), "active");
  t.as_admin(Method::delete_, "/v1/keys/" + b);
  EXPECT_EQ(changed(post("delete", body)), 1) << "the same keys again";
  EXPECT_EQ(status_of(a), "deleted");
}

TEST_F(ManyKeys, ExactlyOneSetIsAskedFor) {
  for (const char* body : {"{}", R"({"selector":"a","userId":"b"})", R"({"selector":""})", R"({"userId":""})",
                           R"({"selector":"a=b,"})", R"({"selector":7})", R"({"selector":"a","bogus":1})"}) {
    EXPECT_EQ(post("disable", body).status, 400) << body;
  }
  EXPECT_EQ(post("disable", R"({"selector":"a"})", "?selector=a").status, 400);
  EXPECT_EQ(post("disable", R"({"selector":"a"})", "?dryRun=yes").status, 400);
  EXPECT_EQ(post("disable", R"({"selector":"a"})", "?dryrun=true").status, 400)
      << "a misspelt wish must not be passed over";
}

TEST_F(ManyKeys, MoreThanOneCommitHoldsAreChangedInSeveral) {
  for (std::size_t i = 0; i < store::max_keys_a_commit + 1; ++i) {
    AccessKey key;
    key.id = KeyId::generate(t.clock.wall(), t.random);
    key.user_id = "alice";
    key.labels = {{"team", "x"}};
    ASSERT_TRUE(t.store.transact_and_wait([&](store::Transaction& transaction) -> Result<void> {
      const auto put = transaction.put_key(key, "create");
      return put ? Result<void>() : put.error();
    }));
  }
  EXPECT_EQ(changed(post("disable", R"({"selector":"team=x"})")), static_cast<int>(store::max_keys_a_commit) + 1);
  EXPECT_EQ(t.object(post("disable", R"({"selector":"team=x"})")).at("matched"),
            static_cast<int>(store::max_keys_a_commit) + 1);
}

TEST(ManyKeysInACommit, AreAsManyAsTakeItsTime) {
  using std::chrono::milliseconds;
  EXPECT_EQ(commands::keys_of_next_commit(100, milliseconds(50)), 100U);
  EXPECT_EQ(commands::keys_of_next_commit(100, milliseconds(100)), 50U);
  EXPECT_EQ(commands::keys_of_next_commit(100, milliseconds(1)), 200U) << "not at once all that might fit";
  EXPECT_EQ(commands::keys_of_next_commit(100, milliseconds(10'000)), commands::least_keys_a_commit);
  EXPECT_EQ(commands::keys_of_next_commit(2000, milliseconds(1)), store::max_keys_a_commit);
  EXPECT_EQ(commands::keys_of_next_commit(100, milliseconds(0)), 200U);
}

TEST_F(ManyKeys, AGraceCanBeEnded) {
  const auto made = t.create();
  ASSERT_EQ(t.as_admin(Method::post, made.path + "/rotate", R"({"gracePeriod":"10m"})").status, 200);
  EXPECT_EQ(t.call(Method::get, "/v1/plan", {{"X-API-Key", made.token}}).status, 200);
  const auto ended = t.as_admin(Method::post, made.path + "/end-grace");
  EXPECT_EQ(ended.status, 200) << ended.body;
  EXPECT_TRUE(t.object(ended).at("previousValidUntil").is_null());
  EXPECT_EQ(t.problem(t.call(Method::get, "/v1/plan", {{"X-API-Key", made.token}})), "key-rotated");
  const auto seq = t.store.position()->seq;
  EXPECT_EQ(t.as_admin(Method::post, made.path + "/end-grace").status, 200);
  EXPECT_EQ(t.store.position()->seq, seq) << "nothing to end, no change";
  EXPECT_EQ(t.store.changes_after(seq - 1, 1)->at(0).action, "end-grace");
}

}  // namespace
}  // namespace latchkey::keys_service
