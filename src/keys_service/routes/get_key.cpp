#include <string>

#include "keys_service/error_response.hpp"
#include "keys_service/key_json.hpp"
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
    response = http::json_response(200, to_json(**key, *terms, position->epoch, context.parts.clock.wall()));
  }
  return response.with_header("ETag", etag).with_header("Cache-Control", "private, no-cache");
}

}  // namespace

void get_key(RouteContext& context, const Call& call, Reply reply) { reply.send(one_key(context, call.request)); }

}  // namespace latchkey::keys_service::routes
