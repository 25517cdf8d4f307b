#include "tokens_service/tokens_service.hpp"

#include <fmt/format.h>

#include <array>

#include "http/problem.hpp"
#include "http/router.hpp"
#include "tokens_service/key_routes.hpp"
#include "tokens_service/positioned_exchange.hpp"

namespace latchkey::embedded {
extern const std::string_view tokens_openapi;
}

namespace latchkey::tokens_service {
namespace {

using http::Exchange;
using http::Method;

constexpr std::array<RouteName, 9> route_names = {{{Method::get, "/v1/tokens"},
                                                   {Method::get, "/v1/tokens/{symbol}"},
                                                   {Method::get, "/v1/plan"},
                                                   {Method::other, "/v1/authorize"},
                                                   {Method::other, "/v1/authorize/*"},
                                                   {Method::get, "/openapi.json"},
                                                   {Method::get, "/healthz"},
                                                   {Method::get, "/readyz"},
                                                   {Method::get, "/metrics"}}};

std::string_view to_string(access::Readiness readiness) {
  switch (readiness) {
    case access::Readiness::ready:
      return "ready";
    case access::Readiness::loading:
      return "loading";
    case access::Readiness::unregistered:
      return "unregistered";
    case access::Readiness::stale:
      break;
  }
  return "stale";
}

}  // namespace

class TokensService::Impl {
 public:
  Impl(const TokensServiceParts& parts, const TokensServiceConfig& config) : parts_(parts), key_routes_(parts, config) {
    for (const auto& name : route_names) {
      auto route = [handle = handler_of(name.path), this](Exchange& exchange) { (this->*handle)(exchange); };
      name.method == Method::other ? router_.on_any(name.path, route) : router_.on(name.method, name.path, route);
    }
  }

  void handle(Exchange& exchange) {
    PositionedExchange positioned(exchange, parts_.view.freshness().position);
    router_.handle(positioned);
  }
  void expect(std::span<const http::Request* const> soon) { key_routes_.expect(soon); }

 private:
  using Handle = void (Impl::*)(Exchange&);

  // Throws std::logic_error for a route without a handler.
  static Handle handler_of(std::string_view path);

  void list(Exchange& e) { key_routes_.handle(e, Route::list); }
  void one(Exchange& e) { key_routes_.handle(e, Route::one); }
  void plan(Exchange& e) { key_routes_.handle(e, Route::plan); }
  void authorize(Exchange& e) { key_routes_.handle(e, Route::authorize); }
  void openapi_json(Exchange& e) { e.answer(http::Answer{200, "application/json", {}, openapi()}); }
  void healthz(Exchange& e) { e.answer(http::Answer{200, "application/json", {}, R"({"status":"ok"})"}); }
  void readyz(Exchange& e);
  void metrics(Exchange& e) {
    const std::string text = parts_.metrics.render();
    e.answer(http::Answer{200, Metrics::content_type, {}, text});
  }

  const TokensServiceParts parts_;
  KeyRoutes key_routes_;
  http::Router router_;
};

TokensService::Impl::Handle TokensService::Impl::handler_of(std::string_view path) {
  if (path == "/v1/tokens") return &Impl::list;
  if (path == "/v1/tokens/{symbol}") return &Impl::one;
  if (path == "/v1/plan") return &Impl::plan;
  if (path.starts_with("/v1/authorize")) return &Impl::authorize;
  if (path == "/openapi.json") return &Impl::openapi_json;
  if (path == "/healthz") return &Impl::healthz;
  if (path == "/readyz") return &Impl::readyz;
  if (path == "/metrics") return &Impl::metrics;
  throw std::logic_error("a route without a handler");
}

// Ready is what the access check would decide by. The reasons that it is not are told apart for the operator.
void TokensService::Impl::readyz(Exchange& exchange) {
  const auto freshness = parts_.view.freshness();
  const auto readiness = parts_.check.readiness();
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(parts_.clock.boot() - freshness.current_as_of);
  const std::string state =
      fmt::format(R"("state":"{}","position":"{}","ageMillis":{},"rows":"{}")", to_string(readiness),
                  freshness.position.to_string(), freshness.complete ? std::to_string(age.count()) : "null",
                  to_string(parts_.digests != nullptr ? parts_.digests->stats().last : view::Agreement::unknown));
  if (readiness == access::Readiness::ready)
    return exchange.answer(http::json_response(200, R"({"status":"ready",)" + state + "}"));
  exchange.answer(http::Response{503, "application/problem+json", "Retry-After: 1\r\n",
                                 R"({"type":"/problems/not-ready","title":"Not ready","status":503,)"
                                 R"("detail":"The view is not complete, not registered, or too old to decide by.",)" +
                                     state + "}"});
}

TokensService::TokensService(const TokensServiceParts& parts, TokensServiceConfig config)
    : impl_(std::make_unique<Impl>(parts, config)) {}
TokensService::~TokensService() = default;

void TokensService::handle(Exchange& exchange) { impl_->handle(exchange); }
bool TokensService::reads_body(const http::Request& head) const {
  return head.path != "/v1/authorize" && !head.path.starts_with("/v1/authorize/");
}
void TokensService::expect(std::span<const http::Request* const> soon) { impl_->expect(soon); }

std::span<const RouteName> TokensService::routes() { return route_names; }
std::string_view TokensService::openapi() { return embedded::tokens_openapi; }

}  // namespace latchkey::tokens_service
