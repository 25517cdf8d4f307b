#include <string>

#include "keys_service/error_response.hpp"
#include "keys_service/key_json.hpp"
#include "keys_service/last_use.hpp"
#include "keys_service/request_parts.hpp"
#include "keys_service/routes.hpp"

namespace latchkey::keys_service::routes {
namespace {

// Weak comparison (RFC 9110, 13.1.2). The tag is of the key's own row: what is in force for it may change beside that.
bool is_known_to_client(const http::Request& request, const std::string& etag) {
  const auto header = request.header("If-None-Match");
  if (!header) return false;
  return *header == "*" || header->find(etag) != std::string_view::npos;
}

std::string body_of(RouteContext& context, const AccessKey& key, const commands::KeyTerms& terms, Epoch epoch) {
  JsonWriter out;
  write_members(out.begin_object(), key, epoch, context.parts.clock.wall());
  write_last_use(out, last_uses_of(context.parts.usage, {&key, 1}), key.id);
  write_effective(out, key, terms);
  return out.end_object().take();
}

http::Response one_key(RouteContext& context, const http::Request& request) {
  const auto id = key_id_of(request);
  if (!id) return to_response(id.error());
  const auto key = context.parts.store.find_key(*id);
  if (!key) return to_response(key.error());
  if (!*key) return to_response(Error(ErrorCode::not_found, "no such key"));
  const auto position = context.parts.store.position();
  if (!position) return to_response(position.error());
  const auto terms = commands::terms_of(context.parts.store, **key);
  if (!terms) return to_response(terms.error());
  const std::string etag = etag_of(**key);
  http::Response response{304, {}, {}, {}};
  if (!is_known_to_client(request, etag)) {
    response = http::json_response(200, body_of(context, **key, *terms, position->epoch));
  }
  return response.with_header("ETag", etag).with_header("Cache-Control", "private, no-cache");
}

}  // namespace

void get_key(RouteContext& context, const Call& call, Reply reply) { reply.send(one_key(context, call.request)); }

}  // namespace latchkey::keys_service::routes
