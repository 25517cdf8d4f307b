#include "keys_service/named_rows.hpp"

#include "jwt/base64url.hpp"
#include "service/media_type.hpp"

namespace latchkey::keys_service {
namespace {

std::optional<std::string> name_in(std::string_view cursor) {
  std::string name(cursor.size() / 4 * 3 + (cursor.size() % 4 == 0 ? 0 : cursor.size() % 4 - 1), '\0');
  const std::span<std::uint8_t> bytes(reinterpret_cast<std::uint8_t*>(name.data()), name.size());
  if (name.empty() || !jwt::decode_base64url(cursor, bytes)) return std::nullopt;
  return name;
}

// Weak comparison (RFC 9110, 13.1.2).
bool has_version(const http::Request& request, const std::string& etag) {
  const auto header = request.header("If-None-Match");
  return header && (*header == "*" || header->find(etag) != std::string_view::npos);
}

}  // namespace

Result<Asked, http::Response> asked_of(RouteContext& context, const Call& call, service::QueryReader& query) {
  const auto type = service::media_type_of(call.request);
  if (!is_json(type, call.request.body)) return unsupported_media_type();
  auto idempotency = idempotency_key_of(call.request);
  if (!idempotency) return to_response(idempotency.error());
  auto wait = wait_of(context, call, query);
  if (!wait) return wait.error();
  const bool merges = type == service::MediaType::merge_patch;
  return Asked{author_of(context, call), std::move(*idempotency),
               merges ? commands::Metadata::merge : commands::Metadata::replace, std::move(*wait)};
}

commands::PutCondition put_condition_of(const http::Request& request) {
  commands::PutCondition condition;
  if (request.header_count("If-Match") > 0) condition.if_match = precondition_of(request);
  condition.create_only = request.header("If-None-Match") == "*";
  return condition;
}

Result<store::NamePageRequest> name_page_of(service::QueryReader& query) {
  store::NamePageRequest page;
  page.limit = query.number("limit", 1, 500, 50);
  if (const auto cursor = query.text("cursor")) {
    const auto name = name_in(*cursor);
    if (!name) query.note("cursor", "must be a nextCursor as an earlier page gave it");
    page.after = name.value_or("");
  }
  if (const auto finished = query.finish(); !finished) return finished.error();
  return page;
}

std::string cursor_after_name(std::string_view name) {
  return jwt::encode_base64url({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
}

http::Response shown_row(RouteContext& context, const http::Request& request, Version version,
                         const std::function<void(JsonWriter&, Epoch)>& members) {
  const auto position = context.parts.store.position();
  if (!position) return to_response(position.error());
  const std::string etag = etag_of_version(version);
  http::Response response{304, {}, {}, {}};
  if (!has_version(request, etag)) {
    JsonWriter out;
    members(out.begin_object(), position->epoch);
    response = http::json_response(200, out.end_object().take());
  }
  return response.with_header("ETag", etag).with_header("Cache-Control", "private, no-cache");
}

}  // namespace latchkey::keys_service
