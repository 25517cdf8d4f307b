#include "keys_service/keys_service.hpp"

#include <memory>

#include "base/log.hpp"
#include "keys_service/error_response.hpp"

namespace latchkey::keys_service {
namespace {

using service::Needs;

std::optional<Epoch> epoch_of(store::KeyStore& store) {
  const auto position = store.position();
  return position ? std::optional(position->epoch) : std::nullopt;
}

}  // namespace

KeysService::KeysService(Parts parts, KeysServiceConfig config)
    : broadcaster_(parts.store, parts.clock, config.streams),
      replicas_(parts.replicas, parts.clock, [&store = parts.store] { return epoch_of(store); }),
      confirmations_(replicas_, replica::StoreLog::of(parts.store), parts.clock, parts.metrics, config.confirmations),
      store_health_([this, &store = parts.store] { return look_at(store); }, parts.clock),
      context_{parts, broadcaster_, replicas_, confirmations_, store_health_, published_keys_},
      gate_(parts.admins, parts.clock, AdminGate::log_refusal, parts.admin_keys),
      overloaded_(parts.metrics.add_counter("latchkey_keys_overloaded_total",
                                            "Requests refused because the workers had no time for them")) {
  service::add_routes(router_, std::span<const Route>(route_table), [this](const Route& route) {
    auto metrics = std::make_shared<RouteMetrics>(context_.parts.metrics, http::to_string(route.method), route.path);
    return [this, &route, metrics](http::Exchange& exchange) { handle(exchange, route, *metrics); };
  });
}

KeysService::~KeysService() {
  confirmations_.stop();
  in_flight_.wait_for_none();
}

void KeysService::handle(http::Exchange& exchange, const Route& route, RouteMetrics& metrics) {
  const http::Request& request = exchange.request();
  const http::Peer peer = exchange.peer();
  const auto reply = std::make_shared<Reply>(exchange.defer(), metrics, context_.parts.clock, in_flight_);
  if (route.needs == Needs::nothing) return run(request, route, std::move(*reply), peer);
  submit(request, route, reply, peer, Attempt::first);
}

void KeysService::submit(const http::Request& request, const Route& route, const std::shared_ptr<Reply>& reply,
                         const http::Peer& peer, Attempt attempt) {
  const BootTime arrived = context_.parts.clock.boot();
  const bool taken = context_.parts.pool.submit([this, &request, &route, reply, peer, attempt, arrived] {
    // Behind workers that wait for a silent store nobody waits for long, or each would add its own time to the next.
    if (context_.parts.clock.boot() - arrived > longest_queue_wait) return refuse(*reply);
    if (attempt == Attempt::first && awaits_new_keys(request, route, reply, peer)) return;
    run(request, route, std::move(*reply), peer);
  });
  if (!taken) refuse(*reply);
}

void KeysService::refuse(Reply& reply) {
  overloaded_.add();
  reply.send(overloaded());
}

Result<Position> KeysService::look_at(store::KeyStore& store) {
  auto position = store.position();
  if (!position || published_keys_.shows(*position)) return position;
  if (const auto keys = store.signing_keys()) published_keys_.show(*keys, *position);
  return position;
}

// The token's key may be newer than the keys that are known here: it is judged once these have been fetched again. No
// worker waits meanwhile.
bool KeysService::awaits_new_keys(const http::Request& request, const Route& route, const std::shared_ptr<Reply>& reply,
                                  const http::Peer& peer) {
  jwt::AdminKeySource* const keys = context_.parts.admin_keys;
  const bool by_admin = route.needs == Needs::viewer || route.needs == Needs::admin;
  if (keys == nullptr || !by_admin || !keys->usable() || !gate_.names_unknown_key(request)) return false;
  return keys->when_renewed(
      [this, &request, &route, reply, peer] { submit(request, route, reply, peer, Attempt::second); });
}

// A holder's key is checked by its route, which wants the row as well.
void KeysService::run(const http::Request& request, const Route& route, Reply reply, const http::Peer& peer) {
  try {
    Call call{request, {}, peer};
    if (route.needs == Needs::viewer || route.needs == Needs::admin) {
      const bool writes = route.needs == Needs::admin;
      auto identity = gate_.admit(request, writes ? jwt::AdminRole::admin : jwt::AdminRole::viewer);
      if (!identity) return reply.send(identity.error());
      call.admin = std::move(*identity);
    }
    route.handler(context_, call, std::move(reply));
  } catch (const std::exception& broken) {
    log_error("a request failed: {}", broken.what());  // its reply, dropped, has become a 500
  }
}

}  // namespace latchkey::keys_service
