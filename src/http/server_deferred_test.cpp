// Answers that come later, from other threads, whole or in pieces.

#include <gtest/gtest.h>

#include "base/worker_pool.hpp"
#include "http/testing/test_server.hpp"

namespace latchkey::http {
namespace {

using std::chrono::milliseconds;

std::string get_of(std::string_view path) { return "GET " + std::string(path) + " HTTP/1.1\r\nHost: t\r\n\r\n"; }

// Where a test keeps the stream that a route has begun.
struct StreamBox {
  std::mutex mutex;
  std::shared_ptr<Stream> stream;

  std::shared_ptr<Stream> wait() {
    TestServer::eventually([this] {
      const std::lock_guard lock(mutex);
      return stream != nullptr;
    });
    const std::lock_guard lock(mutex);
    return stream;
  }
};

void add_stream_route(TestServer& server, StreamBox& box) {
  server.router().on(Method::get, "/stream", [&box](Exchange& exchange) {
    const std::lock_guard lock(box.mutex);
    box.stream = exchange.defer().stream(Response{200, "text/event-stream", {}, {}});
  });
}

TEST(Later, KeepsThePlaceInThePipeline) {
  TestServer server;
  TestClient client(server.port());
  client.send(get_of("/hello") + get_of("/later") + get_of("/hello?2") + get_of("/later"));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(client.read_reply().body, "hello") << i;
}

TEST(Later, AnswersFromManyThreads) {
  ServerConfig config;
  config.threads = 2;
  TestServer server(config);
  WorkerPool pool(3, 10'000);
  server.router().on(Method::post, "/work", [&](Exchange& exchange) {
    // The request is read on the other thread: it stays valid until answered.
    const Request& request = exchange.request();
    const bool taken = pool.submit([&request, later = exchange.defer()]() mutable {
      later.answer(Response{200, {}, {}, std::string(request.body) + std::string(request.header("x").value())});
    });
    EXPECT_TRUE(taken);
  });
  std::vector<std::thread> clients;
  for (int t = 0; t < 4; ++t) {
    clients.emplace_back([&, t] {
      TestClient client(server.port());
      for (int i = 0; i < 200; ++i) {
        const std::string body = std::to_string(t * 1000 + i);
        client.send("POST /work HTTP/1.1\r\nHost: t\r\nX: x\r\nContent-Length: " + std::to_string(body.size()) +
                    "\r\n\r\n" + body);
        EXPECT_EQ(client.read_reply().body, body + "x");
      }
    });
  }
  for (auto& client : clients) client.join();
}

TEST(Later, AClientThatLeftIsHarmless) {
  TestServer server;
  std::atomic<int> answered{0};
  server.router().on(Method::get, "/slow", [&](Exchange& exchange) {
    auto later = std::make_shared<Later>(exchange.defer());
    server.spawn([&answered, later] {
      std::this_thread::sleep_for(milliseconds(20));
      later->answer(Response{200, {}, {}, std::string(100'000, 'x')});
      ++answered;
    });
  });
  for (int i = 0; i < 10; ++i) {
    TestClient client(server.port());
    client.send(get_of("/slow"));
    if (i % 2 == 0) client.reset();
  }
  EXPECT_TRUE(TestServer::eventually([&] { return answered == 10 && server.stats().connections_open == 0; }));
  EXPECT_EQ(TestClient(server.port()).get("/hello").body, "hello");
}

TEST(Stream, ArrivesInPiecesAndTheConnectionGoesOn) {
  TestServer server;
  StreamBox box;
  add_stream_route(server, box);
  TestClient client(server.port());
  client.send(get_of("/stream"));
  const auto stream = box.wait();
  EXPECT_NE(client.read_until("\r\n\r\n").find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_TRUE(stream->write("one"));
  EXPECT_EQ(client.read_until("one\r\n"), "3\r\none\r\n");
  EXPECT_TRUE(stream->write("two!"));
  EXPECT_EQ(client.read_until("two!\r\n"), "4\r\ntwo!\r\n");
  EXPECT_FALSE(stream->closed());
  client.send(get_of("/hello"));  // pipelined while the stream is open
  stream->close();
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_EQ(client.read_reply().body, "hello");
  EXPECT_TRUE(stream->closed());
  EXPECT_FALSE(stream->write("late"));
  EXPECT_EQ(client.get("/hello").body, "hello");
}

TEST(Stream, RequestsSentMeanwhileAreServedAfterwards) {
  TestServer server;
  StreamBox box;
  add_stream_route(server, box);
  TestClient client(server.port());
  client.send(get_of("/stream") + get_of("/later"));
  box.wait();
  for (int i = 0; i < 50; ++i) client.send(get_of("/later"));  // more than the side buffer holds
  std::this_thread::sleep_for(milliseconds(20));
  box.wait()->close();
  client.read_until("0\r\n\r\n");
  for (int i = 0; i < 51; ++i) EXPECT_EQ(client.read_reply().body, "hello") << i;
}

TEST(Stream, AClientThatSendsTooMuchMeanwhileIsCutOff) {
  TestServer server;
  StreamBox box;
  add_stream_route(server, box);
  TestClient client(server.port());
  client.send(get_of("/stream"));
  const auto stream = box.wait();
  for (int i = 0; i < 1000; ++i) client.send(get_of("/later"));
  EXPECT_TRUE(TestServer::eventually([&] { return stream->closed(); }));
}

TEST(Stream, TellsHowMuchWaits) {
  TestServer server;
  StreamBox box;
  add_stream_route(server, box);
  TestClient client(server.port());
  client.send(get_of("/stream"));
  const auto stream = box.wait();
  EXPECT_EQ(stream->waiting_bytes(), 0U);
  while (stream->waiting_bytes() < 300'000 && stream->write(std::string(50'000, 's'))) {  // more than sockets hold
  }
  EXPECT_FALSE(stream->closed());
  client.read_until("\r\n\r\n");
  std::thread reader([&] { client.read_until("end"); });
  EXPECT_TRUE(TestServer::eventually([&] { return stream->waiting_bytes() == 0; }));
  stream->write("end");
  reader.join();
}

TEST(Stream, EndsTheConnectionInHttp10) {
  TestServer server;
  StreamBox box;
  add_stream_route(server, box);
  TestClient client(server.port());
  client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto stream = box.wait();
  stream->write("bare");
  stream->close();
  EXPECT_NE(client.read_until("\r\n\r\n").find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(client.read_all(), "bare");
}

TEST(Stream, HeadGetsTheHeadAlone) {
  TestServer server;
  StreamBox box;
  add_stream_route(server, box);
  TestClient client(server.port());
  client.send("HEAD /stream HTTP/1.1\r\nHost: t\r\n\r\n" + get_of("/hello"));
  EXPECT_EQ(client.read_reply(TestClient::Expect::head_only).status, 200);
  EXPECT_EQ(client.read_reply().body, "hello");
  EXPECT_TRUE(box.wait()->closed());
}

TEST(Stream, NoticesThatTheClientLeft) {
  TestServer server;
  StreamBox box;
  add_stream_route(server, box);
  TestClient client(server.port());
  client.send(get_of("/stream"));
  const auto stream = box.wait();
  client.read_until("\r\n\r\n");
  EXPECT_FALSE(stream->closed());
  client.disconnect();
  EXPECT_TRUE(TestServer::eventually([&] { return stream->closed(); })) << "without a write";
  EXPECT_FALSE(stream->write("x"));
}

TEST(Stream, ASlowReaderIsCutOffAtTheBound) {
  TestServer server;
  StreamBox box;
  add_stream_route(server, box);
  TestClient client(server.port());
  client.send(get_of("/stream"));
  const auto stream = box.wait();
  std::size_t written = 0;
  while (written < 100'000'000 && stream->write(std::string(50'000, 's'))) written += 50'000;
  EXPECT_LT(written, 100'000'000U);
  EXPECT_TRUE(stream->closed());
  EXPECT_TRUE(TestServer::eventually([&] { return server.stats().connections_open == 0; }));
}

TEST(Stream, ManyWritersAndReaders) {
  ServerConfig config;
  config.threads = 2;
  TestServer server(config);
  server.router().on(Method::get, "/numbers", [&](Exchange& exchange) {
    auto later = std::make_shared<Later>(exchange.defer());
    server.spawn([later] {
      const auto stream = later->stream(Response{200, "text/plain", {}, {}});
      for (int i = 0; i < 300 && stream->write(std::to_string(i) + ";"); ++i) {
      }
    });  // dropped: closes
  });
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const std::string piece = std::to_string(i) + ";";
    expected += std::to_string(piece.size()) + "\r\n" + piece + "\r\n";
  }
  std::vector<std::thread> clients;
  for (int t = 0; t < 8; ++t) {
    clients.emplace_back([&] {
      TestClient client(server.port());
      client.send(get_of("/numbers"));
      client.read_until("\r\n\r\n");
      EXPECT_EQ(client.read_until("\r\n0\r\n\r\n"), expected + "0\r\n\r\n");
    });
  }
  for (auto& client : clients) client.join();
}

TEST(Stream, EndsWhenTheServerDrains) {
  TestServer server;
  StreamBox box;
  add_stream_route(server, box);
  TestClient client(server.port());
  client.send(get_of("/stream"));
  const auto stream = box.wait();
  stream->write("last");
  std::thread stopper([&] { server.server().stop(); });
  const std::string all = client.read_all();
  EXPECT_EQ(all.substr(all.size() - 14), "4\r\nlast\r\n0\r\n\r\n");
  EXPECT_TRUE(stream->closed());
  client.disconnect();
  stopper.join();
}

}  // namespace
}  // namespace latchkey::http
