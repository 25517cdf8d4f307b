#include "commands/delete_key.hpp"

#include "keys_service/answers.hpp"
#include "keys_service/enforcement.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/request_parts.hpp"
#include "keys_service/routes.hpp"

namespace latchkey::keys_service::routes {

void delete_key(RouteContext& context, const Call& call, Reply reply) {
  const auto id = key_id_of(call.request);
  if (!id) return reply.send(to_response(id.error()));
  auto wait = wait_of(context, call);
  if (!wait) return reply.send(wait.error());
  auto done = [&context, wait = std::move(*wait),
               reply = std::move(reply)](Result<commands::KeyAnswer> answer) mutable {
    if (!answer) return reply.send(to_response(answer.error()));
    answer_committed(context, std::move(wait), std::move(reply), answer->commit, {http::Response{204, {}, {}, {}}});
  };
  commands::delete_key(context.parts.store, *id, precondition_of(call.request), author_of(context, call),
                       std::move(done));
}

}  // namespace latchkey::keys_service::routes
