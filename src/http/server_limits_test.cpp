// Timeouts, bounds and the graceful stop.

#include <gtest/gtest.h>

#include "http/testing/test_server.hpp"

namespace latchkey::http {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view get_hello = "GET /hello HTTP/1.1\r\nHost: t\r\n\r\n";

ServerConfig short_config(milliseconds ServerConfig::*timeout) {
  ServerConfig config;
  config.*timeout = milliseconds(60);
  return config;
}

TEST(ServerTimeouts, SlowHeadIs408) {
  TestServer server(short_config(&ServerConfig::head_timeout));
  TestClient client(server.port());
  client.send("GET /hello HTTP/1.1\r\nHo");
  const auto reply = client.read_reply();
  EXPECT_EQ(reply.status, 408);
  EXPECT_NE(reply.body.find("/problems/request-timeout"), std::string::npos);
  EXPECT_TRUE(client.at_end());
}

// Each octet is in time, the head is not.
TEST(ServerTimeouts, TricklingDoesNotProlongTheHead) {
  TestServer server(short_config(&ServerConfig::head_timeout));
  TestClient client(server.port());
  std::atomic<bool> stop{false};
  std::thread trickle([&] {
    while (!stop) {
      client.send("x");
      std::this_thread::sleep_for(milliseconds(5));
    }
  });
  EXPECT_EQ(client.read_reply().status, 408);
  stop = true;
  trickle.join();
}

TEST(ServerTimeouts, SlowHeadAfterARequestIs408) {
  TestServer server(short_config(&ServerConfig::head_timeout));
  for (;;) {
    TestClient client(server.port());
    client.send(std::string(get_hello) + "GET /");
    if (client.read_reply().status != 200) continue;  // this client was starved, and the first head late itself
    EXPECT_EQ(client.read_reply().status, 408);
    break;
  }
}

TEST(ServerTimeouts, SlowBodyIs408) {
  TestServer server(short_config(&ServerConfig::body_timeout));
  TestClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(client.read_reply().status, 408);
  EXPECT_TRUE(client.at_end());
}

TEST(ServerTimeouts, IdleConnectionsAreClosedWithoutAWord) {
  TestServer server(short_config(&ServerConfig::idle_timeout));
  TestClient client(server.port());
  EXPECT_EQ(client.get("/hello").status, 200);
  EXPECT_TRUE(client.at_end());
}

TEST(ServerTimeouts, ConnectionsThatNeverAskAreClosedWithoutAWord) {
  TestServer server(short_config(&ServerConfig::head_timeout));
  TestClient client(server.port());
  EXPECT_TRUE(client.at_end());
}

TEST(ServerTimeouts, ClientsThatDoNotReadAreClosed) {
  TestServer server(short_config(&ServerConfig::write_timeout));
  TestClient client(server.port());
  for (int i = 0; i < 400; ++i) client.send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_TRUE(TestServer::eventually([&] { return server.stats().connections_open == 0; }));
}

TEST(ServerTimeouts, ClientsThatReadSlowlyAreNotIdle) {
  TestServer server(short_config(&ServerConfig::idle_timeout));
  TestClient client(server.port());
  for (int i = 0; i < 100; ++i) client.send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(200));
  for (int i = 0; i < 100; ++i) ASSERT_EQ(client.read_reply().body.size(), 100'000U) << i;
}

TEST(ServerTimeouts, AnOwedAnswerHasNone) {
  ServerConfig config;
  config.head_timeout = config.idle_timeout = config.body_timeout = config.write_timeout = milliseconds(40);
  TestServer server(config);
  std::atomic<bool> asked{false};
  server.router().on(Method::get, "/slow", [&](Exchange& exchange) {
    asked = true;
    auto later = std::make_shared<Later>(exchange.defer());
    server.spawn([later] {
      std::this_thread::sleep_for(milliseconds(200));
      later->answer(Response{200, {}, {}, "slow"});
    });
  });
  std::string body;
  while (!asked) body = TestClient(server.port()).get("/slow").body;  // again where a starved client asked too late
  EXPECT_EQ(body, "slow");
}

TEST(ServerBounds, FurtherConnectionsAreClosedAtAccept) {
  ServerConfig config;
  config.max_connections = 2;
  TestServer server(config);
  TestClient a(server.port());
  EXPECT_EQ(a.get("/hello").status, 200);
  {
    TestClient b(server.port());
    EXPECT_EQ(b.get("/hello").status, 200);
    TestClient c(server.port());
    EXPECT_EQ(c.get("/hello").status, 0);
    EXPECT_EQ(server.stats().connections_refused, 1U);
  }
  ASSERT_TRUE(TestServer::eventually([&] { return server.stats().connections_open == 1; }));
  TestClient d(server.port());
  EXPECT_EQ(d.get("/hello").status, 200) << "there is room again";
}

TEST(ServerBounds, SmallerLimitsHold) {
  ServerConfig config;
  config.max_head_bytes = 100;
  config.max_body_bytes = 10;
  TestServer server(config);
  EXPECT_EQ(TestClient(server.port()).get("/" + std::string(100, 'x')).status, 431);
  TestClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 11\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 413) << "refused before it is read";
}

// A client that sends thousands of requests in advance has a buffer's worth of them served at a time; then others have
// a turn.
TEST(ServerBounds, AFloodOnOneConnectionLetsOthersIn) {
  constexpr std::string_view one = "GET /flood HTTP/1.1\r\nHost: t\r\n\r\n";
  constexpr std::uint64_t a_buffers_worth = 8 * 1024 / one.size();
  std::atomic<std::uint64_t> served{0};
  TestServer server;
  server.router().on(Method::get, "/flood", [&](Exchange& exchange) {
    ++served;
    exchange.answer(Answer{204, {}, {}, {}});
  });
  TestClient flood(server.port()), other(server.port());
  std::atomic<bool> stop{false};
  std::thread sender([&] {
    std::string many;
    for (int i = 0; i < 2'000; ++i) many += one;
    while (!stop) flood.send(many);
    flood.finish_sending();
  });
  std::thread reader([&] {
    while (!flood.read_until("\r\n\r\n").empty()) {
    }
  });
  EXPECT_TRUE(TestServer::eventually([&] { return served > 10'000; }));
  std::uint64_t fewest = UINT64_MAX;  // the test's own thread may be kept waiting, but not each time
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t before = served;
    EXPECT_EQ(other.get("/hello").status, 200);
    fewest = std::min(fewest, served - before);
  }
  stop = true;
  sender.join();
  reader.join();
  EXPECT_LT(fewest, 4 * a_buffers_worth);
}

TEST(ServerStop, ClosesIdleConnectionsAndRefusesNewOnes) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.get("/hello").status, 200);
  server.server().stop();
  EXPECT_TRUE(client.at_end());
  EXPECT_THROW(TestClient(server.port()), std::runtime_error);
  server.server().stop();
  EXPECT_EQ(server.stats().connections_open, 0U);
}

TEST(ServerStop, WaitsForTheAnswerThatIsOwed) {
  TestServer server;
  std::atomic<bool> asked{false};
  std::atomic<bool> go{false};
  server.router().on(Method::get, "/wait", [&](Exchange& exchange) {
    auto later = std::make_shared<Later>(exchange.defer());
    server.spawn([&, later] {
      asked = true;
      while (!go) std::this_thread::sleep_for(milliseconds(1));
      later->answer(Response{200, {}, {}, "done"});
    });
  });
  TestClient client(server.port());
  client.send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(TestServer::eventually([&] { return asked.load(); }));
  std::thread stopper([&] { server.server().stop(); });
  std::this_thread::sleep_for(milliseconds(50));
  go = true;
  const auto reply = client.read_reply();
  EXPECT_EQ(reply.body, "done");
  EXPECT_NE(reply.head.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(client.at_end());
  client.disconnect();
  stopper.join();
}

TEST(ServerStop, ClosesWhatIsLeftAtTheDeadlineAndALateAnswerIsHarmless) {
  auto late = std::make_shared<std::optional<Later>>();
  const Request* request = nullptr;
  {
    TestServer server;
    server.router().on(Method::get, "/never", [&](Exchange& exchange) {
      request = &exchange.request();
      late->emplace(exchange.defer());
    });
    TestClient client(server.port());
    client.send("GET /never HTTP/1.1\r\nHost: t\r\nX: y\r\n\r\n");
    ASSERT_TRUE(TestServer::eventually([&] { return server.stats().requests_total == 1; }));
    server.server().stop(milliseconds(30));
    EXPECT_TRUE(client.at_end());
  }
  EXPECT_EQ(request->header("x"), "y") << "the request belongs to the code that owes its answer";
  (*late)->answer(Response{});
  late->reset();
}

TEST(ServerStop, ALateStreamIsClosed) {
  std::optional<Later> late;
  {
    TestServer server;
    server.router().on(Method::get, "/never", [&](Exchange& exchange) { late.emplace(exchange.defer()); });
    TestClient client(server.port());
    client.send("GET /never HTTP/1.1\r\nHost: t\r\n\r\n");
    ASSERT_TRUE(TestServer::eventually([&] { return server.stats().requests_total == 1; }));
    server.server().stop(milliseconds(0));
  }
  const auto stream = late->stream(Response{});
  EXPECT_TRUE(stream->closed());
  EXPECT_FALSE(stream->write("x"));
}

TEST(ServerStop, UnderLoadEveryAnswerIsWhole) {
  ServerConfig config;
  config.threads = 2;
  TestServer server(config);
  std::vector<std::thread> clients;
  std::atomic<int> answered{0};
  for (int t = 0; t < 4; ++t) {
    clients.emplace_back([&] {
      TestClient client(server.port());
      for (;;) {
        const auto reply = client.get("/hello");
        if (reply.status == 0) return;
        EXPECT_EQ(reply.body, "hello");
        ++answered;
      }
    });
  }
  ASSERT_TRUE(TestServer::eventually([&] { return answered > 200; }));
  server.server().stop();
  for (auto& client : clients) client.join();
}

}  // namespace
}  // namespace latchkey::http
