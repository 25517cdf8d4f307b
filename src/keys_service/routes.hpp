#pragma once

// The routes of Access Key Management. One route, one function, one file under routes/, one row of the table below. A
// function runs on a worker, or on the I/O thread where its row needs nothing, and answers through `reply`, now or when
// the store has committed.

#include "keys_service/call.hpp"
#include "keys_service/reply.hpp"
#include "pages/pages.hpp"
#include "service/route.hpp"

namespace latchkey::keys_service {

namespace routes {

void create_key(RouteContext& context, const Call& call, Reply reply);
void list_keys(RouteContext& context, const Call& call, Reply reply);
void get_key(RouteContext& context, const Call& call, Reply reply);
void update_key(RouteContext& context, const Call& call, Reply reply);
void rotate_key(RouteContext& context, const Call& call, Reply reply);
void delete_key(RouteContext& context, const Call& call, Reply reply);
void end_grace(RouteContext& context, const Call& call, Reply reply);
void disable_keys(RouteContext& context, const Call& call, Reply reply);
void enable_keys(RouteContext& context, const Call& call, Reply reply);
void delete_keys(RouteContext& context, const Call& call, Reply reply);
void purge_keys(RouteContext& context, const Call& call, Reply reply);
void list_plans(RouteContext& context, const Call& call, Reply reply);
void get_plan_named(RouteContext& context, const Call& call, Reply reply);
void put_plan(RouteContext& context, const Call& call, Reply reply);
void patch_plan(RouteContext& context, const Call& call, Reply reply);
void delete_plan(RouteContext& context, const Call& call, Reply reply);
void list_users(RouteContext& context, const Call& call, Reply reply);
void get_user(RouteContext& context, const Call& call, Reply reply);
void put_user(RouteContext& context, const Call& call, Reply reply);
void patch_user(RouteContext& context, const Call& call, Reply reply);
void delete_user(RouteContext& context, const Call& call, Reply reply);
void erase_user(RouteContext& context, const Call& call, Reply reply);
void get_plan(RouteContext& context, const Call& call, Reply reply);
void disable_own_key(RouteContext& context, const Call& call, Reply reply);
void get_changes(RouteContext& context, const Call& call, Reply reply);
void get_request(RouteContext& context, const Call& call, Reply reply);
void get_usage(RouteContext& context, const Call& call, Reply reply);
void get_plan_usage(RouteContext& context, const Call& call, Reply reply);
void get_notices(RouteContext& context, const Call& call, Reply reply);
void list_replicas(RouteContext& context, const Call& call, Reply reply);
void forget_replica(RouteContext& context, const Call& call, Reply reply);
void list_signing_keys(RouteContext& context, const Call& call, Reply reply);
void rotate_signing_key(RouteContext& context, const Call& call, Reply reply);
void jwks(RouteContext& context, const Call& call, Reply reply);
void openapi(RouteContext& context, const Call& call, Reply reply);
void console(RouteContext&, const Call&, Reply);
void problem(RouteContext& context, const Call& call, Reply reply);
void healthz(RouteContext& context, const Call& call, Reply reply);
void readyz(RouteContext& context, const Call& call, Reply reply);
void metrics(RouteContext& context, const Call& call, Reply reply);

/// A page that is the same for everyone.
template <http::Response (*make)()>
void page(RouteContext&, const Call&, Reply reply) {
  reply.send(make());
}

}  // namespace routes

using Route = service::Route<void (*)(RouteContext&, const Call&, Reply)>;

/// Every route of the service. A new one is a line above, a row here and its file.
inline constexpr auto route_table = [] {
  using http::Method;
  using service::Needs;
  return std::to_array<Route>({
      {Method::post, "/v1/keys", Needs::admin, routes::create_key},
      {Method::get, "/v1/keys", Needs::viewer, routes::list_keys},
      {Method::get, "/v1/keys/{keyId}", Needs::viewer, routes::get_key},
      {Method::patch, "/v1/keys/{keyId}", Needs::admin, routes::update_key},
      {Method::post, "/v1/keys/{keyId}/rotate", Needs::admin, routes::rotate_key},
      {Method::post, "/v1/keys/{keyId}/end-grace", Needs::admin, routes::end_grace},
      {Method::delete_, "/v1/keys/{keyId}", Needs::admin, routes::delete_key},
      {Method::post, "/v1/keys:disable", Needs::admin, routes::disable_keys},
      {Method::post, "/v1/keys:enable", Needs::admin, routes::enable_keys},
      {Method::post, "/v1/keys:delete", Needs::admin, routes::delete_keys},
      {Method::post, "/v1/keys:purge", Needs::admin, routes::purge_keys},
      {Method::get, "/v1/plans", Needs::viewer, routes::list_plans},
      {Method::get, "/v1/plans/{name}", Needs::viewer, routes::get_plan_named},
      {Method::put, "/v1/plans/{name}", Needs::admin, routes::put_plan},
      {Method::patch, "/v1/plans/{name}", Needs::admin, routes::patch_plan},
      {Method::delete_, "/v1/plans/{name}", Needs::admin, routes::delete_plan},
      {Method::get, "/v1/users", Needs::viewer, routes::list_users},
      {Method::put, "/v1/users", Needs::admin, routes::put_user},
      {Method::patch, "/v1/users", Needs::admin, routes::patch_user},
      {Method::delete_, "/v1/users", Needs::admin, routes::delete_user},
      {Method::get, "/v1/users/{userId}", Needs::viewer, routes::get_user},
      {Method::put, "/v1/users/{userId}", Needs::admin, routes::put_user},
      {Method::patch, "/v1/users/{userId}", Needs::admin, routes::patch_user},
      {Method::delete_, "/v1/users/{userId}", Needs::admin, routes::delete_user},
      {Method::post, "/v1/users/{userId}/erase", Needs::admin, routes::erase_user},
      {Method::get, "/v1/plan", Needs::key, routes::get_plan},
      {Method::get, "/v1/plan/usage", Needs::key, routes::get_plan_usage},
      {Method::post, "/v1/plan/disable", Needs::key, routes::disable_own_key},
      {Method::get, "/v1/changes", Needs::viewer, routes::get_changes},
      {Method::get, "/v1/requests/{id}", Needs::viewer, routes::get_request},
      {Method::get, "/v1/usage", Needs::viewer, routes::get_usage},
      {Method::get, "/v1/notices", Needs::viewer, routes::get_notices},
      {Method::get, "/v1/replicas", Needs::viewer, routes::list_replicas},
      {Method::delete_, "/v1/replicas/{replicaId}", Needs::admin, routes::forget_replica},
      {Method::get, "/v1/signing-keys", Needs::viewer, routes::list_signing_keys},
      {Method::post, "/v1/signing-keys/rotate", Needs::admin, routes::rotate_signing_key},
      {Method::get, "/.well-known/jwks.json", Needs::nothing, routes::jwks},
      {Method::get, "/openapi.json", Needs::nothing, routes::openapi},
      {Method::get, "/healthz", Needs::nothing, routes::healthz},
      {Method::get, "/readyz", Needs::nothing, routes::readyz},
      {Method::get, "/metrics", Needs::nothing, routes::metrics},
      {Method::get, "/", Needs::nothing, routes::console},
      {Method::get, "/console.js", Needs::nothing, routes::page<pages::console_script>},
      {Method::get, "/console.css", Needs::nothing, routes::page<pages::console_style>},
      {Method::get, "/docs", Needs::nothing, routes::page<pages::docs>},
      {Method::get, "/docs.js", Needs::nothing, routes::page<pages::docs_script>},
      {Method::get, "/docs.css", Needs::nothing, routes::page<pages::docs_style>},
      {Method::get, "/problems", Needs::nothing, routes::page<pages::problems>},
      {Method::get, "/problems/{name}", Needs::nothing, routes::problem},
  });
}();

}  // namespace latchkey::keys_service
