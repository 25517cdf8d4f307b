#include "commands/disable_own_key.hpp"

#include "access/refusal_problem.hpp"
#include "keys_service/answers.hpp"
#include "keys_service/bodies.hpp"
#include "keys_service/enforcement.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/holder.hpp"
#include "keys_service/key_json.hpp"
#include "keys_service/routes.hpp"

namespace latchkey::keys_service::routes {
namespace {

// Between the check and the command the key may have been rotated or deleted: said as the check would say it.
http::Response refused_late(const Error& error) {
  if (error.code == ErrorCode::not_found) return access::to_response(access::Refusal::rotated);
  if (error.code == ErrorCode::conflict) return access::to_response(access::Refusal::deleted);
  return to_response(error);
}

}  // namespace

void disable_own_key(RouteContext& context, const Call& call, Reply reply) {
  const UnixMillis now = context.parts.clock.wall();
  auto holder = holder_of(context, call.request, now);
  if (auto* refused = std::get_if<http::Response>(&holder)) return reply.send(std::move(*refused));
  if (auto nothing = parse_empty_body(call.request.body); !nothing) return reply.send(to_response(nothing.error()));
  auto wait = wait_of(context, call);
  if (!wait) return reply.send(wait.error());
  auto done = [&context, now, wait = std::move(*wait),
               reply = std::move(reply)](Result<commands::KeyAnswer> answer) mutable {
    if (!answer) return reply.send(refused_late(answer.error()));
    const LogEnd commit = answer->commit;
    auto members = [key = std::move(answer->key), terms = std::move(answer->terms), epoch = commit.position.epoch,
                    now](JsonWriter& out) { service::write_members(out, held_plan_of(key, terms, epoch, now)); };
    answer_committed(context, std::move(wait), std::move(reply), commit, {private_head(200), std::move(members)});
  };
  const auto& held = std::get<HeldKey>(holder);
  commands::disable_own_key(context.parts.store, held.key.id, held.presented, now, note_of(context, call), std::move(done));
}

}  // namespace latchkey::keys_service::routes
