#pragma once

// Token Information over HTTP (design.md 8): the routes, JSON ↔ access check.
//
//   GET /v1/tokens, GET /v1/tokens/{symbol}    counted
//   any /v1/authorize, and any path below it   counted; no body is read; of the query only deny=403
//   GET /v1/plan                               not counted
//   GET /healthz, /readyz, /metrics, /openapi.json    without a key
//
// A counted request:
//
//   credentials ─> Latchkey-At-Least? ─> access check ─> signature? ─> limiter ─> answer
//                     │ waits for the view    │ refusal       │ worker      │ round trip
//
// Whatever waits gives its I/O thread back. A remembered token's request allocates nothing.

#include <chrono>
#include <memory>
#include <span>
#include <string_view>

#include "access/access_check.hpp"
#include "base/metrics.hpp"
#include "catalog/current_catalog.hpp"
#include "http/exchange.hpp"
#include "limit/rate_limiter.hpp"
#include "report/request_log.hpp"
#include "tokens_service/signature_queue.hpp"
#include "view/digest_check.hpp"
#include "view/projector.hpp"

namespace latchkey::tokens_service {

struct TokensServiceConfig {
  /// The longest that Latchkey-At-Least may wait.
  std::chrono::milliseconds longest_wait{2000};
  SignatureQueueConfig signatures{};
};

/// What the service stands on; all of it outlives the service.
struct TokensServiceParts {
  const view::View& view;
  view::Projector& projector;
  const access::AccessCheck& check;
  limit::RateLimiter& limiter;
  const catalog::CurrentCatalog& catalog;
  report::RequestLog& log;
  Metrics& metrics;
  const Clock& clock;
  const view::DigestCheck* digests = nullptr;  // what /readyz says of the rows; none: unknown
};

/// A route as the documentation must have it. Method::other: any method; "/*" at the end: every path below.
struct RouteName {
  http::Method method;
  std::string_view path;
};

/// handle() is called by any number of I/O threads. Before it is destroyed the server and the projector have stopped:
/// both may still owe it a call.
class TokensService final : public http::Handler {
 public:
  explicit TokensService(const TokensServiceParts& parts, TokensServiceConfig config = {});
  ~TokensService() override;

  void handle(http::Exchange& exchange) override;
  void expect(std::span<const http::Request* const> soon) override;
  /// A proxy asks with its client's request: the body is not for us, however long.
  bool reads_body(const http::Request& head) const override;

  static std::span<const RouteName> routes();
  /// The OpenAPI 3.1 description that /openapi.json serves.
  static std::string_view openapi();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace latchkey::tokens_service
