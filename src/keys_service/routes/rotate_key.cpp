#include "commands/rotate_key.hpp"

#include "keys_service/answers.hpp"
#include "keys_service/bodies.hpp"
#include "keys_service/enforcement.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/request_parts.hpp"
#include "keys_service/routes.hpp"
#include "service/media_type.hpp"

namespace latchkey::keys_service::routes {

void rotate_key(RouteContext& context, const Call& call, Reply reply) {
  const auto id = key_id_of(call.request);
  if (!id) return reply.send(to_response(id.error()));
  if (!is_json(service::media_type_of(call.request), call.request.body)) return reply.send(unsupported_media_type());
  const auto idempotency = idempotency_key_of(call.request);
  if (!idempotency) return reply.send(to_response(idempotency.error()));
  const auto command = parse_rotate_body(call.request.body);
  if (!command) return reply.send(to_response(command.error()));
  auto wait = wait_of(context, call);
  if (!wait) return reply.send(wait.error());

  const auto author = author_of(context, call);
  const auto precondition = precondition_of(call.request);
  auto done = [&context, wait = std::move(*wait), reply = std::move(reply)](Result<commands::Issued> issued) mutable {
    if (!issued) return reply.send(to_response(issued.error()));
    continue_on(context.parts.pool,
                [&context, wait = std::move(wait), reply = std::move(reply), issued = std::move(*issued)]() mutable {
                  const LogEnd commit = issued.commit;
                  answer_committed(context, std::move(wait), std::move(reply), commit,
                                   issued_answer(context.parts, std::move(issued), 200, Location::absent));
                });
  };
  commands::rotate_key(context.parts.store, context.parts.ring, *id, *command, precondition, author, *idempotency,
                       std::move(done));
}

}  // namespace latchkey::keys_service::routes
