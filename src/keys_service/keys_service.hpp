#pragma once

// Access Key Management: JSON ↔ commands. routes.hpp has the table of its routes.

#include "http/router.hpp"
#include "keys_service/admin_gate.hpp"
#include "keys_service/broadcaster.hpp"
#include "keys_service/routes.hpp"

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

  /// Before the server stops: requests that wait for a confirmation are answered now, as far as things are known.
  void stop_waiting() { confirmations_.stop(); }

  /// How long a request waits for a worker; then it is refused (503). With the bound of the store's engine for one
  /// command or read (store/postgres/writer.hpp) that is the bound of an answer: docs/operations.md states the sum.
  static constexpr std::chrono::seconds longest_queue_wait{5};

 private:
  void handle(http::Exchange& exchange, const Route& route, RouteMetrics& metrics);
  enum class Attempt : std::uint8_t { first, second };
  void submit(const http::Request& request, const Route& route, const std::shared_ptr<Reply>& reply,
              const http::Peer& peer, Attempt attempt);
  bool awaits_new_keys(const http::Request& request, const Route& route, const std::shared_ptr<Reply>& reply,
                       const http::Peer& peer);
  void run(const http::Request& request, const Route& route, Reply reply, const http::Peer& peer);
  void refuse(Reply& reply);
  Result<Position> look_at(store::KeyStore& store);

  InFlight in_flight_;
  Broadcaster broadcaster_;
  replica::ReplicaWatch replicas_;
  replica::Confirmations confirmations_;
  PublishedKeys published_keys_;
  StoreHealth store_health_;
  RouteContext context_;
  AdminGate gate_;
  Counter& overloaded_;
  http::Router router_;
};

}  // namespace latchkey::keys_service
