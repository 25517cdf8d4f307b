#include "keys_service/keys_service.hpp"

#include <memory>

#include "base/log.hpp"
#include "keys_service/error_response.hpp"

namespace latchkey::keys_service {
namespace {

std::optional<Epoch> epoch_of(store::KeyStore& store) {
  const auto position = store.position();
  return position ? std::optional(position->epoch) : std::nullopt;
}

}  // namespace

KeysService::KeysService(Parts parts, KeysServiceConfig config)
    : broadcaster_(parts.store, parts.clock, config.streams),
      replicas_(parts.replicas, parts.clock, [&store = parts.store] { return epoch_of(store); }),
      confirmations_(replicas_, replica::StoreLog::of(parts.store), parts.clock, parts.metrics, config.confirmations),
      store_health_([&store = parts.store] { return store.position(); }, parts.clock),
      context_{parts, broadcaster_, replicas_, confirmations_, store_health_},
      gate_(parts.admins, parts.clock),
      overloaded_(parts.metrics.counter("latchkey_keys_overloaded_total",
                                        "Requests refused because the workers' queue was full")) {
  add_routes();
}

KeysService::~KeysService() {
  confirmations_.stop();
  in_flight_.wait_for_none();
}

void KeysService::add_routes() {
  using http::Method;
  add(Method::post, "/v1/keys", Who::admin, routes::create_key);
  add(Method::get, "/v1/keys", Who::viewer, routes::list_keys);
  add(Method::get, "/v1/keys/{keyId}", Who::viewer, routes::get_key);
  add(Method::patch, "/v1/keys/{keyId}", Who::admin, routes::update_key);
  add(Method::post, "/v1/keys/{keyId}/rotate", Who::admin, routes::rotate_key);
  add(Method::delete_, "/v1/keys/{keyId}", Who::admin, routes::delete_key);
  add(Method::get, "/v1/plan", Who::holder, routes::get_plan);
  add(Method::post, "/v1/plan/disable", Who::holder, routes::disable_own_key);
  add(Method::get, "/v1/changes", Who::viewer, routes::get_changes);
  add(Method::get, "/v1/replicas", Who::viewer, routes::list_replicas);
  add(Method::delete_, "/v1/replicas/{replicaId}", Who::admin, routes::forget_replica);
  add(Method::get, "/v1/signing-keys", Who::viewer, routes::list_signing_keys);
  add(Method::post, "/v1/signing-keys/rotate", Who::admin, routes::rotate_signing_key);
  add(Method::get, "/.well-known/jwks.json", Who::anyone, routes::jwks);
  add(Method::get, "/openapi.json", Who::at_once, routes::openapi);
  add(Method::get, "/docs", Who::at_once, routes::docs);
  add_healthz();
  add(Method::get, "/readyz", Who::at_once, routes::readyz);
  add(Method::get, "/metrics", Who::at_once, routes::metrics);
}

// At once, on the I/O thread: alive is alive, however long the workers' queue.
void KeysService::add_healthz() {
  routes_.push_back({http::Method::get, "/healthz"});
  router_.on(http::Method::get, "/healthz", [](http::Exchange& exchange) {
    exchange.answer(http::Answer{200, "application/json", {}, R"({"status":"ok"})"});
  });
}

void KeysService::add_admin_route(http::Method method, std::string_view pattern, jwt::AdminRole needed,
                                  Answerer answerer) {
  auto route = [answerer = std::move(answerer)](RouteContext&, const Call& call, Reply reply) {
    reply.send(answerer(call.request));
  };
  add(method, pattern, needed == jwt::AdminRole::admin ? Who::admin : Who::viewer, std::move(route));
}

void KeysService::add(http::Method method, std::string_view pattern, Who who, Route route) {
  routes_.push_back({method, std::string(pattern)});
  auto metrics = std::make_shared<RouteMetrics>(context_.parts.metrics, http::to_string(method), pattern);
  router_.on(method, pattern, [this, who, route = std::move(route), metrics](http::Exchange& exchange) {
    handle(exchange, who, route, *metrics);
  });
}

void KeysService::handle(http::Exchange& exchange, Who who, const Route& route, RouteMetrics& metrics) {
  const http::Request& request = exchange.request();
  const auto reply = std::make_shared<Reply>(exchange.defer(), metrics, context_.parts.clock, in_flight_);
  if (who == Who::at_once) return run(request, who, route, std::move(*reply));
  const bool taken =
      context_.parts.pool.submit([this, &request, who, &route, reply] { run(request, who, route, std::move(*reply)); });
  if (taken) return;
  overloaded_.add();
  reply->send(overloaded());
}

void KeysService::run(const http::Request& request, Who who, const Route& route, Reply reply) {
  try {
    Call call{request, {}};
    if (who == Who::viewer || who == Who::admin) {
      auto identity = gate_.admit(request, who == Who::admin ? jwt::AdminRole::admin : jwt::AdminRole::viewer);
      if (!identity) return reply.send(identity.error());
      call.admin = std::move(*identity);
    }
    route(context_, call, std::move(reply));
  } catch (const std::exception& broken) {
    log_error("a request failed: {}", broken.what());  // its reply, dropped, has become a 500
  }
}

}  // namespace latchkey::keys_service
