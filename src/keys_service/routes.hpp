#pragma once

// One route, one function, one file under routes/. Each runs on a worker thread and answers through `reply`, now or
// when the store has committed. `call.request` is valid until then.

#include <functional>

#include "jwt/admin_token.hpp"
#include "keys_service/broadcaster.hpp"
#include "keys_service/parts.hpp"
#include "keys_service/reply.hpp"
#include "keys_service/store_health.hpp"
#include "replica/confirmations.hpp"

namespace latchkey::keys_service {

struct Call {
  const http::Request& request;
  jwt::AdminIdentity admin;  // empty on routes that need none
};

struct RouteContext {
  Parts parts;
  Broadcaster& broadcaster;
  replica::ReplicaWatch& replicas;
  replica::Confirmations& confirmations;
  const StoreHealth& store_health;
};

namespace routes {

void create_key(RouteContext& context, const Call& call, Reply reply);
void list_keys(RouteContext& context, const Call& call, Reply reply);
void get_key(RouteContext& context, const Call& call, Reply reply);
void update_key(RouteContext& context, const Call& call, Reply reply);
void rotate_key(RouteContext& context, const Call& call, Reply reply);
void delete_key(RouteContext& context, const Call& call, Reply reply);
void get_plan(RouteContext& context, const Call& call, Reply reply);
void disable_own_key(RouteContext& context, const Call& call, Reply reply);
void get_changes(RouteContext& context, const Call& call, Reply reply);
void list_replicas(RouteContext& context, const Call& call, Reply reply);
void forget_replica(RouteContext& context, const Call& call, Reply reply);
void list_signing_keys(RouteContext& context, const Call& call, Reply reply);
void rotate_signing_key(RouteContext& context, const Call& call, Reply reply);
void jwks(RouteContext& context, const Call& call, Reply reply);
void openapi(RouteContext& context, const Call& call, Reply reply);
void docs(RouteContext& context, const Call& call, Reply reply);
void readyz(RouteContext& context, const Call& call, Reply reply);
void metrics(RouteContext& context, const Call& call, Reply reply);

}  // namespace routes
}  // namespace latchkey::keys_service
