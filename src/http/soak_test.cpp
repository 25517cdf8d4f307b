// Clients that come, ask, and leave or are cut off at any point; every answer is held against what was asked. Over
// either engine (LATCHKEY_IO). A moment by default; LATCHKEY_SOAK_REQUESTS=50000000 for as long as that takes.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <random>
#include <thread>

#include "http/testing/test_server.hpp"

namespace latchkey::http {
namespace {

constexpr std::size_t long_size = 400'000;  // a batch of them fits in no socket

// Answers what is owed, in another order than it was asked.
class Answerers {
 public:
  Answerers() : thread_([this] { run(); }) {}
  ~Answerers() {
    stop();
    thread_.join();
  }
  void owe(Later later, std::string text) {
    const std::lock_guard lock(mutex_);
    owed_.push_back({std::move(later), std::move(text)});
    come_.notify_one();
  }

 private:
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    come_.notify_one();
  }
  struct Owed {
    Later later;
    std::string text;
  };
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      come_.wait(lock, [this] { return stopped_ || !owed_.empty(); });
      if (owed_.empty()) return;
      Owed owed = std::move(owed_.back());
      owed_.pop_back();
      lock.unlock();
      owed.later.answer(Response{200, {}, {}, std::move(owed.text)});
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable come_;
  std::deque<Owed> owed_;  // guarded by mutex_
  bool stopped_ = false;   // guarded by mutex_
  std::thread thread_;
};

// One client after the other, on a connection that lives as long as chance will have it.
class RandomClient {
 public:
  RandomClient(std::uint16_t port, unsigned seed) : port_(port), random_(seed), number_(seed) {}

  /// How many answers were right. A test failure for each that was not.
  std::uint64_t live() {
    TestClient client(port_);
    right_ = 0;
    while (below(4) != 0) {
      if (!ask(client)) return right_;
    }
    switch (below(3)) {
      case 0:
        client.reset();
        break;
      case 1:
        client.finish_sending();
        EXPECT_TRUE(client.at_end());
        break;
      default:
        break;
    }
    return right_;
  }

 private:
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }

  // A batch, in pieces; false: it left with answers unread.
  bool ask(TestClient& client) {
    std::string batch;
    std::vector<std::string> expected;
    all_long_ = below(32) == 0;
    for (unsigned n = 1 + below(12); n > 0; --n) {
      batch += request(std::to_string(number_ += 1000), expected);
    }
    while (!batch.empty()) {
      const std::size_t piece = below(4) == 0 ? 1 + below(200) : batch.size();
      client.send(std::string_view(batch).substr(0, piece));
      batch.erase(0, std::min(piece, batch.size()));
      if (below(64) == 0) return client.reset(), false;
    }
    for (const auto& text : expected) {
      if (below(128) == 0) return false;
      const auto reply = client.read_reply();
      EXPECT_EQ(reply.status, 200);
      EXPECT_EQ(reply.body, text);
      if (::testing::Test::HasFailure()) return false;
      ++right_;
    }
    return true;
  }

  // `expected`: the answer's body.
  std::string request(const std::string& text, std::vector<std::string>& expected) {
    expected.push_back(text);
    switch (all_long_ ? 1 : below(8)) {
      case 0:
        return "GET /owed/" + text + " HTTP/1.1\r\nHost: t\r\n\r\n";
      case 1:
        if (!all_long_) break;
        expected.back().append(long_size, '.');
        return "GET /long/" + text + " HTTP/1.1\r\nHost: t\r\n\r\n";
      case 2: {
        std::string& body = expected.back().append(below(9000), '.');
        return "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
      }
      default:
        break;
    }
    return "GET /at-once/" + text + " HTTP/1.1\r\nHost: t\r\n\r\n";
  }

  const std::uint16_t port_;
  std::mt19937 random_;
  std::uint64_t number_;
  std::uint64_t right_ = 0;
  bool all_long_ = false;
};

TEST(Soak, EveryAnswerIsToWhatWasAsked) {
  const char* const asked = std::getenv("LATCHKEY_SOAK_REQUESTS");
  const std::uint64_t enough = asked == nullptr ? 20'000 : std::strtoull(asked, nullptr, 10);
  ServerConfig config;
  config.threads = 2;
  Answerers answerers;
  TestServer server(config);
  server.router().on(Method::get, "/at-once/{text}", [](Exchange& exchange) {
    exchange.answer(Answer{200, {}, {}, exchange.request().params[0]});
  });
  server.router().on(Method::get, "/long/{text}", [](Exchange& exchange) {
    exchange.answer(Response{200, {}, {}, std::string(exchange.request().params[0]) + std::string(long_size, '.')});
  });
  server.router().on(Method::get, "/owed/{text}", [&](Exchange& exchange) {
    std::string text(exchange.request().params[0]);
    answerers.owe(exchange.defer(), std::move(text));
  });
  const auto port = server.port();
  std::atomic<std::uint64_t> right{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned life = 0; right < enough && !::testing::Test::HasFailure(); ++life) {
        right += RandomClient(port, life * 6 + t + 1).live();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(TestServer::eventually([&] { return server.stats().connections_open == 0; }));
  std::printf("%llu answers over %s, %llu connections\n", static_cast<unsigned long long>(right.load()),
              std::string(to_string(server.server().io().engine)).c_str(),
              static_cast<unsigned long long>(server.stats().connections_total));
}

}  // namespace
}  // namespace latchkey::http
