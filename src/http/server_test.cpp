#include "http/server.hpp"

#include <gtest/gtest.h>

#include <latch>

#include "http/router.hpp"
#include "http/testing/test_server.hpp"

namespace latchkey::http {
namespace {

const std::string simple = "GET /hello HTTP/1.1\r\nHost: t\r\n\r\n";

TEST(Server, KeepsConnectionsAlive) {
  TestServer server;
  TestClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    const auto reply = client.get("/hello");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "hello");
    EXPECT_NE(reply.head.find("\r\nDate: "), std::string::npos);
  }
  EXPECT_EQ(server.stats().connections_total, 1U);
  EXPECT_EQ(server.stats().requests_total, 3U);
}

TEST(Server, ClosesWhenAsked) {
  TestServer server;
  for (const char* request :
       {"GET /hello HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", "GET /hello HTTP/1.0\r\n\r\n"}) {
    TestClient client(server.port());
    client.send(request);
    const auto reply = client.read_reply();
    EXPECT_EQ(reply.body, "hello");
    EXPECT_NE(reply.head.find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(client.at_end());
  }
}

TEST(Server, KeepsHttp10AliveWhenAsked) {
  TestServer server;
  TestClient client(server.port());
  for (int i = 0; i < 2; ++i) {
    client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_NE(client.read_reply().head.find("Connection: keep-alive\r\n"), std::string::npos);
  }
}

// All answers to a batch leave in one send: the client gets them in one recv.
TEST(Server, AnswersPipelinedRequestsInOneWrite) {
  TestServer server;
  TestClient client(server.port());
  std::string batch;
  for (int i = 0; i < 16; ++i) batch += simple;
  client.send(batch);
  ASSERT_TRUE(client.receive());
  EXPECT_EQ(client.count_received("hello"), 16U);
}

// What a watchdog asks: the threads of an idle server go round, one that stands still in a handler does not.
TEST(Server, ProgressesUnlessAThreadStandsStill) {
  std::latch entered(1), released(1);
  TestServer server(ServerConfig{.threads = 2});
  server.router().on(Method::get, "/stands-still", [&](Exchange& exchange) {
    entered.count_down();
    released.wait();
    exchange.answer(Answer{200, "text/plain", {}, "on"});
  });
  TestClient client(server.port());
  const auto comes_to_progress = [&] {
    bool seen = false;
    return TestServer::eventually([&] { return seen = seen || server.server().progressed(); });
  };
  EXPECT_TRUE(comes_to_progress());
  client.send("GET /stands-still HTTP/1.1\r\nHost: t\r\n\r\n");
  entered.wait();
  server.server().progressed();  // what was seen before the request
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(600));  // the other thread goes round meanwhile
    EXPECT_FALSE(server.server().progressed());
  }
  released.count_down();
  EXPECT_EQ(client.read_reply().body, "on");
  EXPECT_TRUE(comes_to_progress());
}

TEST(Server, HeadHasTheLengthButNoBody) {
  TestServer server;
  TestClient client(server.port());
  client.send("HEAD /hello HTTP/1.1\r\nHost: t\r\n\r\n" + simple);
  const auto head = client.read_reply(TestClient::Expect::head_only);
  EXPECT_NE(head.head.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_EQ(client.read_reply().body, "hello") << "the next answer must follow at once";
}

TEST(Server, InvitesTheBodyThatWaits) {
  TestServer server;
  TestClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 100);
  client.send("body");
  EXPECT_EQ(client.read_reply().body, "body");
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_EQ(client.read_reply().status, 200) << "a body that is here needs no invitation";
}

TEST(Server, DecodesChunkedBodiesInAnyPieces) {
  TestServer server;
  TestClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const char c : std::string_view("3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: 1\r\n\r\n")) client.send({&c, 1});
  EXPECT_EQ(client.read_reply().body, "abcde");
  EXPECT_EQ(client.get("/hello").body, "hello");
}

TEST(Server, TakesLargeBodies) {
  TestServer server;
  TestClient client(server.port());
  const std::string body(64 * 1024, 'b');
  for (int i = 0; i < 2; ++i) {
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 65536\r\n\r\n" + body);
    EXPECT_EQ(client.read_reply().body, body);
  }
}

TEST(Server, RefusesWithAProblemAndCloses) {
  TestServer server;
  const std::vector<std::pair<std::string, int>> cases = {
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/3.0\r\nHost: t\r\n\r\n", 505},
      {"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip\r\n\r\n" + simple, 501},
      {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 65537\r\n\r\n" + std::string(65537, 'x'), 413},
      {"GET /" + std::string(200'000, 'a'), 431},
      {"POST / HTTP/1.1\r\nHost: t\r\nExpect: x\r\nContent-Length: 1\r\n\r\n", 417},
  };
  for (const auto& [request, status] : cases) {
    TestClient client(server.port());
    client.send(request);
    const auto reply = client.read_reply();
    EXPECT_EQ(reply.status, status) << request.substr(0, 50);
    EXPECT_NE(reply.head.find("application/problem+json"), std::string::npos);
    EXPECT_NE(reply.head.find("Connection: close"), std::string::npos);
    EXPECT_NE(reply.body.find("\"type\":\"/problems/"), std::string::npos);
    EXPECT_TRUE(client.at_end()) << "nothing after the refusal is a request";
  }
  EXPECT_EQ(server.stats().malformed_total, cases.size());
  EXPECT_EQ(server.stats().requests_total, 0U);
}

TEST(Server, AnswersWhatCameBeforeTheMalformed) {
  TestServer server;
  TestClient client(server.port());
  client.send(simple + "nonsense\r\n\r\n" + simple);
  EXPECT_EQ(client.read_reply().status, 200);
  EXPECT_EQ(client.read_reply().status, 400);
  EXPECT_TRUE(client.at_end());
}

TEST(Server, AnswersAClientThatHasFinishedSending) {
  TestServer server;
  TestClient client(server.port());
  client.send(simple);
  client.finish_sending();
  EXPECT_EQ(client.read_reply().body, "hello");
  EXPECT_TRUE(client.at_end());
}

TEST(Server, HandlerFailuresAre500WithoutDetails) {
  TestServer server;
  TestClient client(server.port());
  for (const char* path : {"/throw", "/nothing", "/drop"}) {
    const auto reply = client.get(path);
    EXPECT_EQ(reply.status, 500) << path;
    EXPECT_EQ(reply.body.find("secret"), std::string::npos);
  }
  EXPECT_EQ(client.get("/twice").body, "first");
  EXPECT_EQ(client.get("/hello").body, "hello") << "the connection goes on";
}

TEST(Server, ServesEveryTargetForm) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.get("http://other.example/hello?x").body, "hello");
  EXPECT_EQ(client.get("/unknown").status, 404);
  client.send("OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 204);
  client.send("DELETE /hello HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_NE(client.read_reply().head.find("Allow: GET, HEAD, OPTIONS\r\n"), std::string::npos);
}

// 40 MB of answers to a client that reads nothing: the server must stop taking requests, not buffer them.
TEST(Server, StopsReadingFromAClientThatDoesNotRead) {
  TestServer server;
  TestClient client(server.port());
  std::thread sender([&] {
    for (int i = 0; i < 400; ++i) client.send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
  });
  TestClient other(server.port());
  EXPECT_EQ(other.get("/hello").body, "hello");
  sender.join();
  EXPECT_LT(server.stats().requests_total, 390U);
  for (int i = 0; i < 400; ++i) ASSERT_EQ(client.read_reply().body.size(), 100'000U) << i;
}

TEST(Server, SharesOnePortAmongItsThreads) {
  ServerConfig config;
  config.threads = 4;
  TestServer server(config);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int c = 0; c < 20; ++c) {
        TestClient client(server.port());
        for (int i = 0; i < 20; ++i) EXPECT_EQ(client.get(i % 2 == 0 ? "/hello" : "/later").body, "hello");
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(server.stats().requests_total, 1600U);
}

TEST(Server, SaysWhenTheAddressCannotBeHad) {
  TestServer server;
  Router router;
  const auto start = [&](const std::string& listen) {
    ServerConfig config;
    config.listen = listen;
    Server second(config, router);
    const auto started = second.start();
    return started ? std::optional<ErrorCode>() : started.error().code;
  };
  EXPECT_EQ(start("127.0.0.1:" + std::to_string(server.port())), ErrorCode::unavailable);
  EXPECT_EQ(start("203.0.113.1:0"), ErrorCode::unavailable);
  for (const char* bad :
       {"", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:8x", "example.org:80", "::1:80"}) {
    EXPECT_EQ(start(bad), ErrorCode::invalid) << bad;
  }
  EXPECT_EQ(start("localhost:0"), std::nullopt);
  EXPECT_EQ(start("[::1]:0"), std::nullopt);
}

}  // namespace
}  // namespace latchkey::http
