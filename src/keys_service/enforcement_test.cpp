// ?wait=enforced and GET /v1/replicas, over the reference engines.

#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "keys_service/enforcement.hpp"
#include "keys_service/testing/test_service.hpp"

namespace latchkey::keys_service {
namespace {

using http::Method;
using testing::StartsWith;

class Enforcement : public testing::Test {
 protected:
  Enforcement() { report_.max_staleness = std::chrono::seconds(10); }

  /// The replica says that it has applied so many changes.
  void report(std::optional<Seq> seq) {
    ++report_.number;
    report_.name = "eu \"1\"";
    report_.reported_at = t.clock.wall();
    report_.applied = seq ? std::optional(Position{t.store.position()->epoch, *seq}) : std::nullopt;
    report_.applied_nonce = seq && *seq > Seq{} ? t.store.changes_after(*seq - 1, 1)->front().nonce : Nonce{};
    t.replicas.report(report_).value();
  }
  void catch_up() { report(t.store.position()->seq); }
  void stop_replica() {
    report_.phase = replica::Phase::stopped;
    catch_up();
  }
  std::future<http::Reply> begin(Method method, const std::string& target, const std::string& body = {}) {
    return std::async(std::launch::async, [this, method, target, body] { return t.as_admin(method, target, body); });
  }
  static bool answered(std::future<http::Reply>& reply) {
    return reply.wait_for(std::chrono::milliseconds(50)) == std::future_status::ready;
  }
  static json::object enforcement(const http::Reply& reply) {
    return TestService::object(reply).at("enforcement").as_object();
  }
  json::object only_replica() {
    const auto reply = t.call(Method::get, "/v1/replicas", {TestService::bearer(t.viewer)});
    EXPECT_EQ(reply.status, 200) << reply.body;
    const auto all = TestService::object(reply).at("replicas").as_array();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? json::object() : all.front().as_object();
  }

  TestService t;
  replica::ReplicaReport report_;
};

TEST_F(Enforcement, IsConfirmedAtOnceWhereThereIsNoReplica) {
  const auto key = t.create();
  const auto reply = t.as_admin(Method::patch, key.path + "?wait=enforced", R"({"disabled":true})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.header("Latchkey-Enforcement"), StartsWith("confirmed;applied=0;"));
  EXPECT_EQ(enforcement(reply).at("state"), "confirmed");
  EXPECT_TRUE(enforcement(reply).at("replicas").as_array().empty());
  EXPECT_EQ(t.object(reply).at("status"), "disabled");
}

TEST_F(Enforcement, ComesWhenTheReplicaHasAppliedTheChangeAndNotBefore) {
  catch_up();
  const auto key = t.create();
  catch_up();
  auto reply = begin(Method::patch, key.path + "?wait=enforced", R"({"disabled":true})");
  EXPECT_FALSE(answered(reply));
  EXPECT_EQ(t.object(t.as_admin(Method::get, key.path)).at("status"), "disabled");
  catch_up();
  const auto got = reply.get();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.header("Latchkey-Enforcement"),
            "confirmed;applied=1;fenced=0;stopped=0;waiting=0;other-epoch=0;outdated=0");
  const auto replica = enforcement(got).at("replicas").as_array().at(0);
  EXPECT_EQ(replica.at("name"), "eu \"1\"");
  EXPECT_EQ(std::string(replica.at("replicaId").as_string()), report_.id.to_string());
  EXPECT_EQ(replica.at("outcome"), "applied");
}

TEST_F(Enforcement, OfADeletionStays204WithoutABody) {
  catch_up();
  const auto key = t.create();
  auto reply = begin(Method::delete_, key.path + "?wait=enforced");
  EXPECT_FALSE(answered(reply));
  catch_up();
  const auto got = reply.get();
  EXPECT_EQ(got.status, 204);
  EXPECT_EQ(got.body, "");
  EXPECT_THAT(got.header("Latchkey-Enforcement"), StartsWith("confirmed;applied=1;"));
}

TEST_F(Enforcement, NotConfirmedInTimeIs202WithTheLaggards) {
  catch_up();
  const auto key = t.create();
  auto reply = begin(Method::delete_, key.path + "?wait=enforced&timeout=3s");
  EXPECT_FALSE(answered(reply));
  t.clock.advance(std::chrono::seconds(3));
  const auto got = reply.get();
  EXPECT_EQ(got.status, 202);
  EXPECT_THAT(got.header("Latchkey-Enforcement"), StartsWith("pending;applied=0;fenced=0;stopped=0;waiting=1"));
  EXPECT_EQ(enforcement(got).at("waitedMillis"), 3000);
  EXPECT_EQ(enforcement(got).at("replicas").as_array().at(0).at("outcome"), "waiting");
  EXPECT_EQ(t.object(t.as_admin(Method::get, key.path)).at("status"), "deleted");
}

TEST_F(Enforcement, OfAReplicaThatFellSilentComesWithItsFence) {
  catch_up();
  const auto key = t.create();
  auto reply = begin(Method::patch, key.path + "?wait=enforced&timeout=1m", R"({"disabled":true})");
  EXPECT_FALSE(answered(reply));
  t.clock.advance(std::chrono::seconds(11));
  EXPECT_EQ(enforcement(reply.get()).at("replicas").as_array().at(0).at("outcome"), "fenced");
}

TEST_F(Enforcement, CanBeAskedForOfEveryMutation) {
  catch_up();
  const auto key = t.create();
  const auto wait = [&](Method method, const std::string& target, const std::string& body) {
    auto reply = begin(method, target + "?wait=enforced", body);
    EXPECT_FALSE(answered(reply)) << target;
    catch_up();
    return reply.get();
  };
  const auto created = wait(Method::post, "/v1/keys", R"({"userId":"alice","requestsPerMinute":60})");
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(enforcement(created).at("state"), "confirmed");
  EXPECT_TRUE(t.object(created).as_object().contains("accessKey"));
  EXPECT_EQ(wait(Method::patch, key.path, R"({"name":"x"})").status, 200);
  EXPECT_EQ(wait(Method::post, key.path + "/rotate", "{}").status, 200);
  EXPECT_EQ(wait(Method::post, "/v1/signing-keys/rotate", "{}").status, 200);
  EXPECT_EQ(wait(Method::delete_, key.path, "").status, 204);
}

TEST_F(Enforcement, OfTheOwnKeyIsForItsHolderToAskFor) {
  catch_up();
  const auto key = t.create();
  auto reply = std::async(std::launch::async, [&] {
    return t.call(Method::post, "/v1/plan/disable?wait=enforced", {TestService::bearer(key.token)});
  });
  EXPECT_FALSE(answered(reply));
  catch_up();
  EXPECT_EQ(enforcement(reply.get()).at("state"), "confirmed");
}

TEST_F(Enforcement, OfWhatIsSoAlreadyIsConfirmedByTheNextReport) {
  const auto key = t.create();
  t.as_admin(Method::patch, key.path, R"({"disabled":true})");
  catch_up();
  const auto reply = t.as_admin(Method::patch, key.path + "?wait=enforced", R"({"disabled":true})");
  EXPECT_EQ(enforcement(reply).at("replicas").as_array().at(0).at("outcome"), "applied");
}

TEST_F(Enforcement, IsNotWaitedForWhereTheCommandFails) {
  catch_up();
  const auto reply = t.as_admin(Method::delete_, "/v1/keys/01a20d8a-265b-7609-b6c9-fa4fb5493afe?wait=enforced");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.header("Latchkey-Enforcement"), "");
}

TEST_F(Enforcement, AMisspeltWishToWaitIsNoneAtAllAndChangesNothing) {
  const auto key = t.create();
  for (const auto* query : {"wait=enforce", "wait=", "wiat=enforced", "wait=enforced&wait=enforced", "timeout=5s",
                            "wait=enforced&timeout=0s", "wait=enforced&timeout=6m", "wait=enforced&timeout=5", "x=1"}) {
    const auto reply = t.as_admin(Method::delete_, key.path + "?" + query);
    EXPECT_EQ(reply.status, 400) << query;
    EXPECT_EQ(t.problem(reply), "invalid-request") << query;
  }
  EXPECT_EQ(t.object(t.as_admin(Method::get, key.path)).at("status"), "active");
}

TEST_F(Enforcement, IsBoundedInNumberAndRefusedBeforeAnythingChanges) {
  TestService small(1000, {}, {.max_waiting = 1});
  report_.number = 1;
  small.replicas.report(report_).value();
  const auto key = small.create();
  auto first = std::async(std::launch::async, [&] {
    return small.as_admin(Method::patch, key.path + "?wait=enforced", R"({"name":"x"})");
  });
  // Its place is taken before its change is made.
  while (small.object(small.as_admin(Method::get, key.path)).at("name") != "x") std::this_thread::yield();
  const auto second = small.as_admin(Method::delete_, key.path + "?wait=enforced");
  EXPECT_EQ(second.status, 503);
  EXPECT_EQ(small.problem(second), "overloaded");
  EXPECT_EQ(small.object(small.as_admin(Method::get, key.path)).at("status"), "active");
  small.service.stop_waiting();
  EXPECT_EQ(first.get().status, 202);
}

TEST_F(Enforcement, DoesNotHoldAWorkerWhileItIsWaitedFor) {
  catch_up();
  const auto key = t.create();
  std::vector<std::future<http::Reply>> replies;
  for (int i = 0; i < 12; ++i) {  // three for each worker
    replies.push_back(begin(Method::patch, key.path + "?wait=enforced", R"({"name":")" + std::to_string(i) + "\"}"));
  }
  EXPECT_FALSE(answered(replies.front()));
  EXPECT_EQ(t.as_admin(Method::get, key.path).status, 200);
  catch_up();
  for (auto& reply : replies) {
    while (!answered(reply)) catch_up();
    EXPECT_EQ(reply.get().status, 200);
  }
}

TEST_F(Enforcement, ARepeatedCreationWaitsForWhatTheFirstOneMade) {
  catch_up();
  const std::string body = R"({"userId":"alice","requestsPerMinute":60})";
  const TestService::Headers once = {{"Idempotency-Key", "one"}};
  const auto first = t.object(t.as_admin(Method::post, "/v1/keys", body, once));
  catch_up();
  const auto again = t.as_admin(Method::post, "/v1/keys?wait=enforced", body, once);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(enforcement(again).at("state"), "confirmed");
  EXPECT_EQ(t.object(again).at("accessKey"), first.at("accessKey"));
}

TEST_F(Enforcement, ReplicasAreListedWithTheirLag) {
  t.create();
  report(std::nullopt);
  EXPECT_EQ(only_replica().at("state"), "loading");
  EXPECT_TRUE(only_replica().at("position").is_null());
  EXPECT_TRUE(only_replica().at("lagChanges").is_null());
  report_.view_age = std::chrono::milliseconds(5);
  report(t.store.position()->seq - 1);
  auto replica = only_replica();
  EXPECT_EQ(replica.at("state"), "serving");
  EXPECT_EQ(replica.at("name"), "eu \"1\"");
  EXPECT_EQ(replica.at("lagChanges"), 1);
  EXPECT_EQ(replica.at("lagMillis"), 5);
  EXPECT_EQ(replica.at("maxStalenessSeconds"), 10);
  t.clock.advance(std::chrono::seconds(2));
  replica = only_replica();
  EXPECT_EQ(replica.at("state"), "silent");
  EXPECT_EQ(replica.at("lagMillis"), 2005);
  t.clock.advance(std::chrono::seconds(10));
  EXPECT_EQ(only_replica().at("state"), "fenced");
  stop_replica();
  EXPECT_EQ(only_replica().at("state"), "stopped");
}

TEST_F(Enforcement, WaitsNoMoreForAReplicaThatAnAdminHasForgotten) {
  const std::string path = "/v1/replicas/" + report_.id.to_string();
  EXPECT_EQ(t.as_admin(Method::delete_, path).status, 404);
  EXPECT_EQ(t.as_admin(Method::delete_, "/v1/replicas/junk").status, 404);
  catch_up();
  EXPECT_EQ(t.call(Method::delete_, path).status, 401);
  EXPECT_EQ(t.call(Method::delete_, path, {TestService::bearer(t.viewer)}).status, 403);
  EXPECT_EQ(t.as_admin(Method::delete_, path + "?x=1").status, 400);
  const auto early = t.as_admin(Method::delete_, path);
  EXPECT_EQ(early.status, 409);
  EXPECT_EQ(t.problem(early), "replica-reports");
  t.clock.advance(std::chrono::seconds(11));
  EXPECT_EQ(t.as_admin(Method::delete_, path).status, 204);
  EXPECT_EQ(t.object(t.as_admin(Method::get, "/v1/replicas")).at("replicas").as_array().size(), 0U);
  EXPECT_EQ(t.as_admin(Method::delete_, path).status, 404);
  const auto key = t.create();
  const auto reply = t.as_admin(Method::patch, key.path + "?wait=enforced", R"({"disabled":true})");
  EXPECT_THAT(reply.header("Latchkey-Enforcement"), StartsWith("confirmed;applied=0;fenced=0;"));
}

TEST_F(Enforcement, ReplicasAreForAdminsAndViewers) {
  EXPECT_EQ(t.call(Method::get, "/v1/replicas").status, 401);
  EXPECT_EQ(t.as_admin(Method::get, "/v1/replicas").status, 200);
  EXPECT_EQ(t.as_admin(Method::get, "/v1/replicas?x=1").status, 400);
  t.replicas.set_unreachable(true);
  EXPECT_EQ(t.as_admin(Method::get, "/v1/replicas").status, 503);
}

}  // namespace
}  // namespace latchkey::keys_service
