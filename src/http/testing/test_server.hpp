#pragma once

// A server on a free port with routes for tests.

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "http/router.hpp"
#include "http/server.hpp"
#include "http/testing/test_client.hpp"

namespace latchkey::http {

class TestServer {
 public:
  explicit TestServer(ServerConfig config = {}) : server_(on_any_port(std::move(config)), router_) { add_routes(); }
  ~TestServer() {
    server_.stop(std::chrono::seconds(2));
    for (auto& thread : threads_) thread.join();
  }

  /// Starts the server at the first call: routes are added before.
  std::uint16_t port() {
    std::call_once(once_, [this] {
      const auto started = server_.start();
      if (!started) throw std::runtime_error(started.error().detail);
    });
    return server_.port();
  }
  ServerStats stats() const { return server_.stats(); }
  Server& server() { return server_; }
  Router& router() { return router_; }

  /// Runs on a thread that is joined at the end.
  void spawn(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    threads_.emplace_back(std::move(work));
  }

  /// Waits until `done`, at most two minutes.
  static bool eventually(const std::function<bool()>& done) {
    for (int i = 0; i < 24'000 && !done(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return done();
  }

 private:
  static ServerConfig on_any_port(ServerConfig config) {
    config.listen = "127.0.0.1:0";
    // http_test runs once with each engine (CMakeLists.txt).
    const char* const io = std::getenv("LATCHKEY_IO");
    if (io != nullptr) config.io = io_engine_of(io);
    return config;
  }

  void add_routes() {
    const auto text = [](std::string body) {
      return [body = std::move(body)](Exchange& exchange) { exchange.answer(Answer{200, "text/plain", {}, body}); };
    };
    router_.on(Method::get, "/hello", text("hello"));
    router_.on(Method::get, "/large", text(std::string(100'000, 'L')));
    router_.on(Method::post, "/echo", [](Exchange& exchange) {
      exchange.answer(Answer{200, "text/plain", {}, exchange.request().body});
    });
    router_.on(Method::get, "/throw", [](Exchange&) { throw std::runtime_error("secret"); });
    router_.on(Method::get, "/nothing", [](Exchange&) {});
    router_.on(Method::get, "/drop", [](Exchange& exchange) { exchange.defer(); });
    router_.on(Method::get, "/twice", [](Exchange& exchange) {
      exchange.answer(Answer{200, {}, {}, "first"});
      exchange.answer(Answer{200, {}, {}, "second"});
    });
    router_.on(Method::get, "/later", [this](Exchange& exchange) {
      auto later = std::make_shared<Later>(exchange.defer());
      spawn([later] { later->answer(Response{200, "text/plain", {}, "hello"}); });
    });
  }

  std::once_flag once_;
  std::mutex mutex_;
  std::vector<std::thread> threads_;  // guarded by mutex_
  Router router_;
  Server server_;
};

}  // namespace latchkey::http
