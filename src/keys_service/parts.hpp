#pragma once

#include <optional>
#include <string>

#include "access/trusted_proxies.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/worker_pool.hpp"
#include "commands/key_ring.hpp"
#include "jwt/admin_key_source.hpp"
#include "jwt/admin_token.hpp"
#include "pages/pages.hpp"
#include "replica/replica_registry.hpp"
#include "store/key_store.hpp"
#include "usage/usage_reader.hpp"

namespace latchkey::keys_service {

/// What the service is made of. All outlive it.
struct Parts {
  store::KeyStore& store;
  commands::KeyRing& ring;
  const jwt::AdminVerifier& admins;
  const Clock& clock;
  Random& random;  // used by several threads at once
  Metrics& metrics;
  WorkerPool& pool;
  replica::ReplicaRegistry& replicas;
  jwt::AdminKeySource* admin_keys = nullptr;       // none: they are always as good as they can be
  std::string key_prefix{};                        // key/presented_form.hpp; empty: none
  usage::UsageReader* usage = nullptr;             // none: nothing is known of usage
  std::optional<pages::SignInProvider> sign_in{};  // of the console; none: it wants a token
  access::TrustedProxies proxies{};                // for the audit trail: of these X-Forwarded-For is believed
  access::ClientAddress client_address = access::ClientAddress::peer;
};

}  // namespace latchkey::keys_service
