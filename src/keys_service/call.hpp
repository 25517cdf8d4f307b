#pragma once

#include "http/message.hpp"
#include "http/peer.hpp"
#include "jwt/admin_token.hpp"
#include "keys_service/broadcaster.hpp"
#include "keys_service/parts.hpp"
#include "keys_service/published_keys.hpp"
#include "keys_service/store_health.hpp"
#include "replica/confirmations.hpp"

namespace latchkey::keys_service {

/// One request. `request` is valid until it has been answered.
struct Call {
  const http::Request& request;
  jwt::AdminIdentity admin;  // empty on routes that need none
  http::Peer peer{};
};

/// What every route has at hand.
struct RouteContext {
  Parts parts;
  Broadcaster& broadcaster;
  replica::ReplicaWatch& replicas;
  replica::Confirmations& confirmations;
  const StoreHealth& store_health;
  PublishedKeys& published_keys;
};

}  // namespace latchkey::keys_service
