// The path of a request that is answered at once allocates nothing, once its connection is warm.

#include <gtest/gtest.h>

#include "base/testing/allocation_count.hpp"
#include "http/testing/test_server.hpp"

namespace latchkey::http {
namespace {

using allocation_count::allocations;

TEST(Allocation, NonePerRequestInTheSteadyState) {
  if (LATCHKEY_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers bring their own operator new";
  TestServer server;
  server.router().on(Method::get, "/counted/{id}", [](Exchange& exchange) {
    allocation_count::counted = true;  // on the thread that serves: the client in this process allocates as it likes
    exchange.answer(Answer{200, "application/json", "X: y\r\n", exchange.request().params[0]});
  });
  server.router().on(Method::post, "/counted", [](Exchange& exchange) {
    exchange.answer(Answer{200, "application/json", {}, exchange.request().body});
  });
  server.router().on(Method::get, "/allocates", [](Exchange& exchange) {
    exchange.answer(Response{200, {}, {}, std::string(1000, 'x')});
  });
  TestClient client(server.port());
  const auto round = [&] {
    client.send("GET /counted/abc HTTP/1.1\r\nHost: t\r\nA: 1\r\nB: 2\r\n\r\n");
    EXPECT_EQ(client.read_reply().body, "abc");
    client.send("POST /counted HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n");
    EXPECT_EQ(client.read_reply().body, "ab");
  };
  for (int i = 0; i < 10; ++i) round();
  const long before = allocations;
  for (int i = 0; i < 1000; ++i) round();
  EXPECT_EQ(allocations - before, 0);
  client.get("/allocates");
  EXPECT_GT(allocations - before, 0) << "the control: the count must see an allocation";
}

}  // namespace
}  // namespace latchkey::http
