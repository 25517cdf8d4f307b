#pragma once

// Access Key Management: JSON ↔ commands. Routes are a table; each is a function of its own under routes/.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "http/router.hpp"
#include "keys_service/admin_gate.hpp"
#include "keys_service/broadcaster.hpp"
#include "keys_service/parts.hpp"
#include "keys_service/reply.hpp"
#include "keys_service/routes.hpp"
#include "keys_service/store_health.hpp"

namespace latchkey::keys_service {

struct KeysServiceConfig {
  BroadcasterConfig streams{};
  replica::ConfirmationsConfig confirmations{};
};

/// Stop the server before destroying the service; the destructor waits for requests that are still being worked on.
class KeysService {
 public:
  explicit KeysService(Parts parts, KeysServiceConfig config = {});
  ~KeysService();
  KeysService(const KeysService&) = delete;
  KeysService& operator=(const KeysService&) = delete;

  http::Router& router() { return router_; }

  /// Before the server stops: those who wait for a confirmation are answered now, as far as things are known.
  void stop_waiting() { confirmations_.stop(); }

  /// Adds an admin route of another part of the program; it runs on a worker.
  using Answerer = std::function<http::Response(const http::Request&)>;
  void add_admin_route(http::Method method, std::string_view pattern, jwt::AdminRole needed, Answerer answerer);

  struct RouteName {
    http::Method method;
    std::string pattern;
  };
  /// Every route of this folder, for the test that holds /openapi.json to it.
  const std::vector<RouteName>& routes() const { return routes_; }

 private:
  /// `at_once`: anyone, on the I/O thread, since the route asks neither the store nor a lock held while it is asked.
  /// Holders are checked by their routes.
  enum class Who : std::uint8_t { anyone, at_once, holder, viewer, admin };
  using Route = std::function<void(RouteContext&, const Call&, Reply)>;

  void add_routes();
  void add_healthz();
  void add(http::Method method, std::string_view pattern, Who who, Route route);
  void handle(http::Exchange& exchange, Who who, const Route& route, RouteMetrics& metrics);
  void run(const http::Request& request, Who who, const Route& route, Reply reply);

  InFlight in_flight_;
  Broadcaster broadcaster_;
  replica::ReplicaWatch replicas_;
  replica::Confirmations confirmations_;
  StoreHealth store_health_;
  RouteContext context_;
  AdminGate gate_;
  Counter& overloaded_;
  http::Router router_;
  std::vector<RouteName> routes_;
};

}  // namespace latchkey::keys_service
