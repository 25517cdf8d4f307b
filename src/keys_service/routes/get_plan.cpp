#include "keys_service/answers.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/holder.hpp"
#include "keys_service/key_json.hpp"
#include "keys_service/routes.hpp"

namespace latchkey::keys_service::routes {

void get_plan(RouteContext& context, const Call& call, Reply reply) {
  const UnixMillis now = context.parts.clock.wall();
  auto holder = holder_of(context, call.request, now);
  if (auto* refused = std::get_if<http::Response>(&holder)) return reply.send(std::move(*refused));
  const auto position = context.parts.store.position();
  if (!position) return reply.send(to_response(position.error()));
  JsonWriter out;
  const auto& held = std::get<HeldKey>(holder);
  service::write_members(out.begin_object(), held_plan_of(held.key, held.terms, position->epoch, now));
  reply.send(private_json(200, out.end_object().take()));
}

}  // namespace latchkey::keys_service::routes
