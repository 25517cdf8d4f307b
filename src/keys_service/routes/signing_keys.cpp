#include "commands/rotate_signing_key.hpp"
#include "keys_service/answers.hpp"
#include "keys_service/bodies.hpp"
#include "keys_service/enforcement.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/key_json.hpp"
#include "keys_service/routes.hpp"
#include "service/media_type.hpp"

namespace latchkey::keys_service::routes {

void list_signing_keys(RouteContext& context, const Call&, Reply reply) {
  const auto keys = context.parts.store.signing_keys();
  if (!keys) return reply.send(to_response(keys.error()));
  JsonWriter out;
  write_members(out.begin_object(), *keys);
  reply.send(private_json(200, out.end_object().take()));
}

void rotate_signing_key(RouteContext& context, const Call& call, Reply reply) {
  if (!is_json(service::media_type_of(call.request), call.request.body)) return reply.send(unsupported_media_type());
  const auto earlier = parse_signing_key_rotation_body(call.request.body);
  if (!earlier) return reply.send(to_response(earlier.error()));
  auto wait = wait_of(context, call);
  if (!wait) return reply.send(wait.error());
  auto done = [&context, wait = std::move(*wait),
               reply = std::move(reply)](Result<commands::SigningKeysAnswer> answer) mutable {
    if (!answer) return reply.send(to_response(answer.error()));
    const LogEnd commit = answer->commit;
    context.published_keys.show(answer->keys, commit.position);
    auto members = [keys = std::move(answer->keys)](JsonWriter& out) { write_members(out, keys); };
    answer_committed(context, std::move(wait), std::move(reply), commit, {private_head(200), std::move(members)});
  };
  commands::rotate_signing_key(context.parts.store, context.parts.ring, *earlier, author_of(context, call),
                               std::move(done));
}

void jwks(RouteContext& context, const Call&, Reply reply) {
  auto document = context.published_keys.document();
  if (!document) return reply.send(to_response(Error(ErrorCode::unavailable, "the signing keys were not read yet")));
  http::Response response{200, "application/jwk-set+json", {}, std::move(*document)};
  reply.send(response.with_header("Cache-Control", "public, max-age=60"));
}

}  // namespace latchkey::keys_service::routes
