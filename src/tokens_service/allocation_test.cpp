// A counted request with a remembered token allocates nothing, from the handler to the answer.

#include "base/testing/allocation_count.hpp"
#include "tokens_service/testing/service_suite.hpp"

namespace latchkey::tokens_service {
namespace {

using allocation_count::allocations;
using allocation_count::counted;

/// An exchange that keeps only the status.
class BareExchange final : public http::Exchange {
 public:
  explicit BareExchange(http::Request& request) : request_(request) {}
  using http::Exchange::answer;
  const http::Request& request() const override { return request_; }
  http::Request& request() override { return request_; }
  const http::Peer& peer() const override { return peer_; }
  void answer(const http::Answer& answer) override { status = answer.status; }
  http::Later defer() override { throw std::logic_error("deferred"); }
  unsigned thread_index() const override { return 0; }
  int status = 0;

 private:
  http::Request& request_;
  const http::Peer peer_{};
};

using AllocationTest = ServiceFixture;

TEST_F(AllocationTest, NoneForARememberedToken) {
  if (LATCHKEY_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers bring their own operator new";
  const std::string token = token_of(new_key(500));
  const http::Header header{"X-API-Key", token};
  for (const auto& [path, status] : {std::pair{"/v1/tokens", 200},
                                     {"/v1/tokens/usdc", 200},
                                     {"/v1/tokens/NOPE", 404},
                                     {"/v1/authorize?deny=403", 200}}) {
    get(path, token);
    http::Request request;
    request.target = path;
    request.path = request.target.substr(0, request.target.find('?'));
    request.headers = {&header, 1};
    for (int i = 0; i < 20; ++i) {
      BareExchange exchange(request);
      allocations = 0;
      counted = i > 0;  // the first may make what later ones reuse
      service_.handle(exchange);
      counted = false;
      EXPECT_EQ(exchange.status, status) << path;
      EXPECT_EQ(allocations, 0) << path;
    }
  }
}

}  // namespace
}  // namespace latchkey::tokens_service
