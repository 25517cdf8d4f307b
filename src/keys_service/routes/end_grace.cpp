#include "commands/end_grace.hpp"

#include "keys_service/answers.hpp"
#include "keys_service/bodies.hpp"
#include "keys_service/enforcement.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/request_parts.hpp"
#include "keys_service/routes.hpp"
#include "service/media_type.hpp"

namespace latchkey::keys_service::routes {

void end_grace(RouteContext& context, const Call& call, Reply reply) {
  const auto id = key_id_of(call.request);
  if (!id) return reply.send(to_response(id.error()));
  if (!is_json(service::media_type_of(call.request), call.request.body)) return reply.send(unsupported_media_type());
  if (auto nothing = parse_empty_body(call.request.body); !nothing) return reply.send(to_response(nothing.error()));
  auto wait = wait_of(context, call);
  if (!wait) return reply.send(wait.error());
  const auto author = author_of(context, call);
  auto done = [&context, now = author.now, wait = std::move(*wait),
               reply = std::move(reply)](Result<commands::KeyAnswer> answer) mutable {
    if (!answer) return reply.send(to_response(answer.error()));
    const LogEnd commit = answer->commit;
    answer_committed(context, std::move(wait), std::move(reply), commit, key_answer(std::move(*answer), now));
  };
  commands::end_grace(context.parts.store, *id, precondition_of(call.request), author, std::move(done));
}

}  // namespace latchkey::keys_service::routes
