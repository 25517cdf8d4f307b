#include "commands/create_key.hpp"

#include "keys_service/answers.hpp"
#include "keys_service/bodies.hpp"
#include "keys_service/enforcement.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/request_parts.hpp"
#include "keys_service/routes.hpp"
#include "service/media_type.hpp"

namespace latchkey::keys_service::routes {

void create_key(RouteContext& context, const Call& call, Reply reply) {
  if (!is_json(service::media_type_of(call.request), call.request.body)) return reply.send(unsupported_media_type());
  const auto author = author_of(context, call);
  const auto idempotency = idempotency_key_of(call.request);
  if (!idempotency) return reply.send(to_response(idempotency.error()));
  auto command = parse_create_body(call.request.body, author.now);
  if (!command) return reply.send(to_response(command.error()));
  auto wait = wait_of(context, call);
  if (!wait) return reply.send(wait.error());

  const KeyId id = KeyId::generate(author.now, context.parts.random);
  auto done = [&context, wait = std::move(*wait), reply = std::move(reply)](Result<commands::Issued> issued) mutable {
    if (!issued) return reply.send(to_response(issued.error()));
    continue_on(context.parts.pool,
                [&context, wait = std::move(wait), reply = std::move(reply), issued = std::move(*issued)]() mutable {
                  const LogEnd commit = issued.commit;
                  answer_committed(context, std::move(wait), std::move(reply), commit,
                                   issued_answer(context.parts, std::move(issued), 201, Location::present));
                });
  };
  commands::create_key(context.parts.store, context.parts.ring, std::move(*command), id, author, *idempotency,
                       std::move(done));
}

}  // namespace latchkey::keys_service::routes
