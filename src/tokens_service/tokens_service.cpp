#include "tokens_service/tokens_service.hpp"

#include "http/router.hpp"
#include "tokens_service/holder_requests.hpp"
#include "tokens_service/positioned_exchange.hpp"

namespace latchkey::tokens_service {

using http::Exchange;

class TokensService::Impl {
 public:
  Impl(const Parts& parts, const TokensServiceConfig& config) : parts_(parts), requests_(parts, config) {
    service::add_routes(router_, std::span<const Route>(route_table), [this](const Route& route) {
      return [this, &route](Exchange& exchange) { run(exchange, route); };
    });
  }

  void handle(Exchange& exchange) {
    PositionedExchange positioned(exchange, parts_.view.freshness().position);
    router_.handle(positioned);
  }
  void expect(std::span<const http::Request* const> soon) { requests_.expect(soon); }

 private:
  void run(Exchange& exchange, const Route& route) {
    if (const auto* page = std::get_if<Page>(&route.handler)) return (*page)(parts_, exchange);
    requests_.handle(exchange, route);
  }

  const Parts parts_;
  HolderRequests requests_;
  http::Router router_;
};

TokensService::TokensService(const Parts& parts, TokensServiceConfig config)
    : impl_(std::make_unique<Impl>(parts, config)) {}
TokensService::~TokensService() = default;

void TokensService::handle(Exchange& exchange) { impl_->handle(exchange); }
bool TokensService::reads_body(const http::Request& head) const {
  return head.path != "/v1/authorize" && !head.path.starts_with("/v1/authorize/") &&
         !head.path.starts_with("/v1/rules/");
}
void TokensService::expect(std::span<const http::Request* const> soon) { impl_->expect(soon); }

}  // namespace latchkey::tokens_service
