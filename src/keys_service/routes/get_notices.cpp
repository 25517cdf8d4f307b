#include <charconv>

#include "keys_service/answers.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/routes.hpp"
#include "service/query_reader.hpp"

namespace latchkey::keys_service::routes {
namespace {

/// nullopt: no whole number.
std::optional<std::uint64_t> notice_id_of(std::string_view text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id < 0) return std::nullopt;
  return static_cast<std::uint64_t>(id);
}

void write_notice(JsonWriter& out, const Notice& notice) {
  out.begin_object().member("noticeId", notice.id).member("type", notice.kind).member("timestamp", notice.at);
  out.member("keyId", notice.key_id ? std::optional(notice.key_id->to_string()) : std::nullopt);
  out.member("userId", notice.user_id);
  const bool expiry = notice.kind.starts_with("key.expire");
  out.member("expiresAt", expiry ? std::optional(UnixMillis{notice.about}) : std::nullopt).end_object();
}

}  // namespace

void get_notices(RouteContext& context, const Call& call, Reply reply) {
  service::QueryReader query(call.request.query);
  const auto text = query.text("after");
  const std::size_t limit = query.number("limit", 1, 1000, 100);
  const auto after = text ? notice_id_of(*text) : std::optional<std::uint64_t>(0);
  if (!after) query.note("after", "must be a whole number: nextAfter of an earlier page");
  if (const auto finished = query.finish(); !finished) return reply.send(to_response(finished.error()));
  const auto notices = context.parts.store.notices_after(*after, limit);
  if (!notices) return reply.send(to_response(notices.error()));
  JsonWriter out;
  out.begin_object().name("notices").begin_array();
  for (const Notice& notice : *notices) write_notice(out, notice);
  out.end_array().member("nextAfter", notices->empty() ? *after : notices->back().id).end_object();
  reply.send(private_json(200, out.take()));
}

}  // namespace latchkey::keys_service::routes
