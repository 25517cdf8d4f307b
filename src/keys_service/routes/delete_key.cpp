#include "commands/delete_key.hpp"

#include "keys_service/answers.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/request_parts.hpp"

namespace latchkey::keys_service::routes {

void delete_key(RouteContext& context, Call call, Reply reply) {
  const auto id = key_id_of(call.request);
  if (!id) return reply.send(to_response(id.error()));
  auto done = [&context, reply = std::move(reply)](Result<commands::KeyAnswer> answer) mutable {
    if (!answer) return reply.send(to_response(answer.error()));
    context.broadcaster.nudge();
    reply.send(http::Response{204, {}, {}, {}}.with_header("Latchkey-Position", answer->position.to_string()));
  };
  commands::delete_key(context.parts.store, *id, precondition_of(call.request), act_of(context, call), std::move(done));
}

}  // namespace latchkey::keys_service::routes
