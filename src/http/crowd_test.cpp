// Many at once, over either engine: more than there are buffers, and more than the queues have places.

#include <dirent.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdio>

#include "http/testing/test_server.hpp"

namespace latchkey::http {
namespace {

// Octets allocated by the process; 0 where a sanitiser brings its own allocator.
std::size_t octets_in_use() {
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
#else
  return 0;
#endif
}

std::size_t open_descriptors() {
  std::size_t n = 0;
  DIR* const folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++n;
  ::closedir(folder);
  return n;
}

// While the thread is kept, they all ask; then it finds them ready in one turn.
TEST(Crowd, AsksAtOnceAndEachGetsItsOwnAnswer) {
  constexpr std::size_t crowd = 1200;
  TestServer server;
  std::atomic<bool> kept{false}, go{false};
  server.router().on(Method::get, "/keep", [&](Exchange& exchange) {
    kept = true;
    while (!go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    exchange.answer(Answer{204, {}, {}, {}});
  });
  server.router().on(Method::get, "/{name}", [](Exchange& exchange) {
    exchange.answer(Answer{200, {}, {}, exchange.request().params[0]});
  });
  std::vector<TestClient> clients;
  for (std::size_t i = 0; i < crowd; ++i) clients.emplace_back(server.port());
  for (int round = 0; round < 3; ++round) {
    TestClient keeper(server.port());
    keeper.send("GET /keep HTTP/1.1\r\nHost: t\r\n\r\n");
    ASSERT_TRUE(TestServer::eventually([&] { return kept.load(); }));
    const std::string mark = "n" + std::to_string(round) + "-";
    for (std::size_t i = 0; i < crowd; ++i) {
      clients[i].send("GET /" + mark + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\n\r\n");
    }
    go = true;
    for (std::size_t i = 0; i < crowd; ++i) ASSERT_EQ(clients[i].read_reply().body, mark + std::to_string(i));
    kept = go = false;
  }
}

TEST(Crowd, ThatHasGoneLeavesNoDescriptors) {
  TestServer server;
  server.port();
  const std::size_t before = open_descriptors();
  for (int round = 0; round < 3; ++round) {
    std::vector<TestClient> clients;
    for (int i = 0; i < 300; ++i) clients.emplace_back(server.port());
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (i % 3 != 0) clients[i].send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
      if (i % 15 == 1) {
        EXPECT_EQ(clients[i].read_reply().status, 200);
      }
      if (i % 5 == 2) clients[i].reset();
    }
  }
  EXPECT_TRUE(TestServer::eventually([&] { return open_descriptors() == before; }));
}

// A client that is closed by the server learns of it, though a receive was asked for.
TEST(Crowd, ThatIsIdleTooLongSeesTheEnd) {
  ServerConfig config;
  config.idle_timeout = std::chrono::milliseconds(60);
  TestServer server(config);
  std::vector<TestClient> clients;
  for (int i = 0; i < 50; ++i) {
    clients.emplace_back(server.port());
    clients.back().send("GET /hello HTTP/1.1\r\nHost: t\r\n\r\n");
  }
  for (auto& client : clients) {
    EXPECT_EQ(client.read_reply().body, "hello");
    EXPECT_TRUE(client.at_end());
  }
}

// What a connection takes that has asked and is idle: not the buffer that its request was read into.
TEST(Crowd, ThatIsIdleHasNoBuffers) {
  constexpr std::size_t crowd = 1500, batch = 100;
  TestServer server;
  std::vector<TestClient> clients;
  clients.reserve(crowd);
  EXPECT_EQ(TestClient(server.port()).get("/hello").status, 200);
  const auto open_batch = [&] {
    for (std::size_t i = 0; i < batch; ++i) {
      clients.emplace_back(server.port());
      EXPECT_EQ(clients.back().get("/hello").body, "hello");
    }
  };
  open_batch();
  const auto before = octets_in_use();
  while (clients.size() < crowd) open_batch();
  const auto each = (octets_in_use() - before) / (crowd - batch);
  EXPECT_LT(each, 4096U) << "octets a connection, the test's own client included";
}

// A client may send far ahead while its answer is owed: what is kept of it is bounded, and nothing of it is lost.
TEST(Crowd, OfOneThatSendsFarAheadIsHeldBack) {
  TestServer server;
  std::atomic<bool> go{false};
  server.router().on(Method::get, "/wait", [&](Exchange& exchange) {
    auto later = std::make_shared<Later>(exchange.defer());
    server.spawn([&, later] {
      while (!go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      later->answer(Response{200, {}, {}, "waited"});
    });
  });
  TestClient client(server.port());
  client.send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
  constexpr int many = 40'000;
  std::atomic<int> sent{0};
  const std::string one = "GET /hello HTTP/1.1\r\nHost: t\r\nX-Filler: " + std::string(1000, 'x') + "\r\n\r\n";
  const std::size_t before = octets_in_use();
  std::thread sender([&] {
    for (; sent < many; sent += 100) {
      std::string hundred;
      for (int i = 0; i < 100; ++i) hundred += one;
      client.send(hundred);
    }
  });
  int seen = -1;
  while (seen != sent) {  // until it has not moved for a while
    seen = sent;
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
  }
  EXPECT_LT(octets_in_use(), before + 1024 * 1024) << "most of it waits in the kernel, and with the client";
  EXPECT_LT(seen, many) << "40 MB must not fit anywhere";
  go = true;
  EXPECT_EQ(client.read_reply().body, "waited");
  for (int i = 0; i < many; ++i) ASSERT_EQ(client.read_reply().body, "hello") << i;
  sender.join();
}

}  // namespace
}  // namespace latchkey::http
