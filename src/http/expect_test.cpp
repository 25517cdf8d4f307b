// A handler hears of the requests that it is about to be asked, all at once.

#include <semaphore>

#include "http/testing/test_server.hpp"

namespace latchkey::http {
namespace {

/// Notes what it is told to expect and what comes; stands still at "/stand" until it is released.
class Expecting final : public Handler {
 public:
  void handle(Exchange& exchange) override {
    note("handle ", exchange.request());
    if (exchange.request().path == "/stand") {
      standing.release();
      released.acquire();
    }
    exchange.answer(Answer{200, "text/plain", {}, exchange.request().path});
  }
  void expect(std::span<const Request* const> soon) override {
    for (const Request* request : soon) note("expect ", *request);
    if (fails) throw std::runtime_error("no matter");
  }

  // But for "/ready". By the only thread; read when it has ended, since a sanitiser does not see io_uring's order.
  std::vector<std::string> noted;
  std::binary_semaphore standing{0}, released{0};
  bool fails = false;

 private:
  void note(const std::string& what, const Request& request) {
    if (request.path != "/ready") noted.push_back(what + std::string(request.path));
  }
};

class Expect : public testing::Test {
 protected:
  /// While the only thread stands still, a half and two whole requests come, and more after one of them.
  void let_some_come() {
    ASSERT_TRUE(server_.start());
    TestClient first(server_.port()), half(server_.port()), one(server_.port()), two(server_.port());
    EXPECT_EQ(half.get("/ready").status + one.get("/ready").status + two.get("/ready").status, 600);
    first.send(request("/stand"));
    handler_.standing.acquire();
    half.send("GET /half");
    one.send(request("/one") + request("/more"));
    two.send(request("/two"));
    handler_.released.release();
    EXPECT_EQ(first.read_reply().body, "/stand");
    EXPECT_EQ(one.read_reply().body, "/one");
    EXPECT_EQ(one.read_reply().body, "/more");
    EXPECT_EQ(two.read_reply().body, "/two");
    half.send(" HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(half.read_reply().body, "/half");
  }
  static std::string request(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: t\r\n\r\n"; }
  static ServerConfig config() {
    ServerConfig one_thread;
    one_thread.listen = "127.0.0.1:0";
    one_thread.threads = 1;
    return one_thread;
  }

  Expecting handler_;
  Server server_{config(), handler_};
};

TEST_F(Expect, TheFirstRequestOfEachThatIsReady) {
  let_some_come();
  server_.stop(std::chrono::seconds(2));
  const std::vector<std::string> expected = {"handle /stand", "expect /one", "expect /two", "handle /one",
                                             "handle /more",  "handle /two", "handle /half"};
  EXPECT_EQ(handler_.noted, expected);
}

TEST_F(Expect, AnErrorThereLosesNothing) {
  handler_.fails = true;
  let_some_come();
  server_.stop(std::chrono::seconds(2));
}

}  // namespace
}  // namespace latchkey::http
