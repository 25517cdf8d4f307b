// The audit trail, page by page and live.

#include <gtest/gtest.h>

#include <mutex>
#include <optional>
#include <utility>

#include "http/server.hpp"
#include "http/testing/test_client.hpp"
#include "keys_service/testing/test_service.hpp"

namespace latchkey::keys_service {
namespace {

using http::Method;

class Changes : public testing::Test {
 protected:
  explicit Changes(BroadcasterConfig streams = {.max_streams = 3,
                                                .poll = std::chrono::milliseconds(20),
                                                .heartbeat = std::chrono::milliseconds(30)})
      : t(1000, streams) {}
  TestService t;

  std::uint16_t start() {
    server.emplace(http::ServerConfig{.listen = "127.0.0.1:0"}, t.service.router());
    server->start().value();
    return server->port();
  }
  std::string request(std::string_view more = {}) const { return request_of(t.viewer, more); }
  static std::string request_of(const std::string& token, std::string_view more = {}) {
    return "GET /v1/changes HTTP/1.1\r\nHost: t\r\nAccept: text/event-stream\r\nAuthorization: Bearer " + token +
           "\r\n" + std::string(more) + "\r\n";
  }
  /// The status of the answer to another stream of this admin.
  static int status_of_one_more(std::uint16_t port, const std::string& token) {
    http::TestClient client(port);
    client.send(request_of(token));
    return std::atoi(client.read_until("\r\n").c_str() + 9);
  }
  std::optional<http::Server> server;
};

TEST_F(Changes, TellWhoDidWhatInOrder) {
  const auto made = t.create();
  t.as_admin(Method::patch, made.path, R"({"disabled":true})");
  t.as_admin(Method::delete_, made.path);
  const auto page = t.object(t.as_admin(Method::get, "/v1/changes"));
  std::vector<std::string> actions;
  for (const auto& change : page.at("changes").as_array()) actions.emplace_back(change.at("action").as_string());
  EXPECT_EQ(actions, (std::vector<std::string>{"signing-key", "create", "disable", "delete"}));
  const auto& last = page.at("changes").as_array().back();
  EXPECT_EQ(last.at("actor"), "ops");
  EXPECT_EQ(last.at("key").at("status"), "deleted");
  EXPECT_EQ(last.at("position"), page.at("nextAfter"));
  EXPECT_EQ(page.at("position"), page.at("nextAfter"));
  EXPECT_TRUE(page.at("changes").at(0).as_object().contains("signingKey"));
}

TEST_F(Changes, ComeInPages) {
  for (int i = 0; i < 3; ++i) t.create();
  const auto first = t.object(t.as_admin(Method::get, "/v1/changes?limit=3"));
  EXPECT_EQ(first.at("changes").as_array().size(), 3u);
  const std::string next(first.at("nextAfter").as_string());
  EXPECT_EQ(t.object(t.as_admin(Method::get, "/v1/changes?after=" + next)).at("changes").as_array().size(), 1u);
  const auto end = t.object(t.as_admin(Method::get, "/v1/changes?after=4"));
  EXPECT_TRUE(end.at("changes").as_array().empty());
}

TEST_F(Changes, RefuseAnotherEpochAndOddQueries) {
  EXPECT_EQ(t.problem(t.as_admin(Method::get, "/v1/changes?after=00c0ffee00c0ffee.1")), "position-gone");
  EXPECT_EQ(t.as_admin(Method::get, "/v1/changes?after=99").status, 410);
  for (const auto* query : {"after=x", "after=", "after=-1", "limit=0", "limit=1001", "x=1"}) {
    EXPECT_EQ(t.as_admin(Method::get, std::string("/v1/changes?") + query).status, 400) << query;
  }
  const auto garbled = t.as_admin(Method::get, "/v1/changes?%ff%c3=1");
  EXPECT_EQ(t.object(garbled).at("errors").at(0).at("pointer"), "");
}

TEST_F(Changes, StreamLive) {
  http::TestClient client(start());
  client.send(request("Last-Event-ID: 1\r\n"));
  EXPECT_NE(client.read_until("following").find("text/event-stream"), std::string::npos);
  const auto made = t.create();
  const std::string event = client.read_until("\"position\":\"" + t.store.position()->to_string() + "\"}}\n\n");
  EXPECT_NE(event.find("event: change\ndata: {"), std::string::npos) << event;
  EXPECT_NE(event.find("id: " + t.store.position()->to_string()), std::string::npos);
  EXPECT_NE(event.find(made.id), std::string::npos);
  EXPECT_NE(client.read_until(": heartbeat\n\n"), "");
}

TEST_F(Changes, StreamWhatWasMissed) {
  for (int i = 0; i < 500; ++i) t.create();
  http::TestClient client(start());
  client.send(request("Last-Event-ID: 1\r\n"));
  const std::string all = client.read_until("id: " + t.store.position()->to_string() + "\n");
  std::size_t events = 0;
  for (auto at = all.find("id: "); at != std::string::npos; at = all.find("id: ", at + 1)) ++events;
  EXPECT_EQ(events, 500u);
}

// Rows of the largest kind: two hundred of them are more than a stream may have waiting.
TEST_F(Changes, StreamLargeRowsToTheEnd) {
  const std::string largest = R"({"requestsPerMinute":60,"userId":")" + std::string(128, 'u') + R"(","name":")" +
                              std::string(128, 'n') + R"(","metadata":{"m":")" + std::string(4088, 'x') + "\"}}";
  for (int i = 0; i < 260; ++i) t.create(largest);
  http::TestClient client(start());
  client.send(request("Last-Event-ID: 1\r\n"));
  const std::string last = "id: " + t.store.position()->to_string() + "\n";
  EXPECT_NE(client.read_until(last).find(last), std::string::npos);
}

TEST_F(Changes, StreamsEndWithTheirAdminToken) {
  t.viewer = t.mint(jwt::AdminRole::viewer, std::chrono::seconds(2));
  http::TestClient client(start());
  client.send(request());
  client.read_until("following");
  t.clock.advance(std::chrono::seconds(2));
  EXPECT_NE(client.read_until("0\r\n\r\n").find("0\r\n\r\n"), std::string::npos);
}

TEST_F(Changes, StreamsEndWhenTheStoreBecomesAnother) {
  http::TestClient client(start());
  client.send(request());
  client.read_until("following");
  auto other = t.store.backup();
  other.epoch.value ^= 1;
  t.store.restore(other);
  EXPECT_NE(client.read_until("0\r\n\r\n").find("0\r\n\r\n"), std::string::npos);
}

/// A store that is restored as another one right before its next changes are read.
class RestoredBetweenLooks final : public store::KeyStore {
 public:
  explicit RestoredBetweenLooks(store::MemoryStore& inner) : inner_(inner) {}
  void restore_next(store::MemoryStore::State state) {
    const std::lock_guard lock(mutex_);
    next_ = std::move(state);
  }
  void transact(Work work, Done done) override { inner_.transact(std::move(work), std::move(done)); }
  Result<store::AuditPage> audit(const store::AuditQuery& query) override {
    const std::lock_guard lock(mutex_);
    if (next_) inner_.restore(*std::exchange(next_, std::nullopt));
    return inner_.audit(query);
  }
  Result<std::optional<AccessKey>> find_key(KeyId id) override { return inner_.find_key(id); }
  Result<store::KeyPage> list_keys(const store::KeyPageRequest& request) override { return inner_.list_keys(request); }
  Result<std::vector<KeyId>> list_key_ids(const store::KeyPageRequest& request) override {
    return inner_.list_key_ids(request);
  }
  Result<std::vector<SigningKey>> signing_keys() override { return inner_.signing_keys(); }
  Result<std::optional<Plan>> find_plan(std::string_view name) override { return inner_.find_plan(name); }
  Result<std::optional<User>> find_user(std::string_view user_id) override { return inner_.find_user(user_id); }
  Result<store::PlanPage> list_plans(const store::NamePageRequest& request) override {
    return inner_.list_plans(request);
  }
  Result<store::UserPage> list_users(const store::NamePageRequest& request) override {
    return inner_.list_users(request);
  }
  Result<store::PlanUses> plan_uses(std::string_view name) override { return inner_.plan_uses(name); }
  Result<std::vector<Notice>> notices_after(std::uint64_t after, std::size_t limit) override {
    return inner_.notices_after(after, limit);
  }
  Result<std::vector<Change>> changes_after(Seq after, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    if (next_) inner_.restore(*std::exchange(next_, std::nullopt));
    return inner_.changes_after(after, limit);
  }
  Result<Position> position() override { return inner_.position(); }

 private:
  store::MemoryStore& inner_;
  std::mutex mutex_;
  std::optional<store::MemoryStore::State> next_;  // guarded by mutex_
};

class ChangesOfARestoredStore : public Changes {
 protected:
  ChangesOfARestoredStore() {
    t.create();
    const auto before = t.store.backup();
    in_the_other = t.create().id;
    auto other = t.store.backup();
    other.epoch.value ^= 1;
    t.store.restore(before);
    store.restore_next(std::move(other));
  }
  RestoredBetweenLooks store{t.store};
  std::string in_the_other;
  Metrics metrics;
  KeysService service{{store, *t.ring, t.verifier, t.clock, t.random, metrics, t.pool, t.replicas},
                      {{.max_streams = 3, .poll = std::chrono::milliseconds(20)}, {}}};
};

TEST_F(ChangesOfARestoredStore, AreNotGivenAPositionOfTheEpochBefore) {
  const auto [name, value] = TestService::bearer(t.viewer);
  const auto reply = http::call(service.router(), Method::get, "/v1/changes?after=1", {{{name, value}}}, {});
  EXPECT_EQ(reply.status, 410) << reply.body;
}

TEST_F(ChangesOfARestoredStore, AreNotStreamedAsThoseOfTheEpochBefore) {
  http::Server following(http::ServerConfig{.listen = "127.0.0.1:0"}, service.router());
  following.start().value();
  http::TestClient client(following.port());
  client.send(request("Last-Event-ID: 1\r\n"));
  const std::string all = client.read_until("0\r\n\r\n");
  EXPECT_NE(all.find("following"), std::string::npos) << all;
  EXPECT_EQ(all.find(in_the_other), std::string::npos) << all;
  EXPECT_EQ(all.find("event: change"), std::string::npos) << all;
}

class FullyTaken : public Changes {
 protected:
  FullyTaken() : Changes({.max_streams = 2, .poll = std::chrono::milliseconds(20)}), port(start()), first(port) {
    first.send(request());
    first.read_until("following");
  }
  const std::uint16_t port;
  http::TestClient first;
  const std::string other = t.mint(jwt::AdminRole::viewer, std::chrono::hours(1), "latchkey", "carol");
};

TEST_F(FullyTaken, ByOneAdminIsHalf) {
  EXPECT_EQ(status_of_one_more(port, t.viewer), 503);
  EXPECT_EQ(status_of_one_more(port, other), 200);
}

TEST_F(FullyTaken, ByAllIsFull) {
  http::TestClient second(port);
  second.send(request_of(other));
  second.read_until("following");
  EXPECT_EQ(status_of_one_more(port, t.mint(jwt::AdminRole::viewer, std::chrono::hours(1), "latchkey", "dave")), 503);
}

TEST_F(FullyTaken, APlaceIsGivenBack) {
  first.disconnect();
  int status = 503;
  for (int i = 0; i < 500 && status == 503; ++i) status = status_of_one_more(port, t.viewer);
  EXPECT_EQ(status, 200);
}

}  // namespace
}  // namespace latchkey::keys_service
