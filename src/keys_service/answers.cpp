#include "keys_service/answers.hpp"

#include <memory>

#include "base/json.hpp"
#include "base/printable.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/key_json.hpp"

namespace latchkey::keys_service {

http::Response private_head(int status) {
  http::Response head{status, "application/json", {}, {}};
  return head.with_header("Cache-Control", "no-store");
}

http::Response private_json(int status, std::string body) {
  http::Response response = private_head(status);
  response.body = std::move(body);
  return response;
}

store::AuditNote note_of(const RouteContext& context, const Call& call) {
  constexpr std::size_t most_of_agent = 256;
  const auto address =
      access::client_address(call.request, call.peer, context.parts.proxies, context.parts.client_address);
  const auto body = parse_json(call.request.body);
  const auto* reason = body && body->is_object() ? body->get_object().if_contains("reason") : nullptr;
  return {.address = address ? address->to_string() : "",
          .user_agent = store::clipped(printable(call.request.header("User-Agent").value_or("")), most_of_agent),
          .reason = reason != nullptr && reason->is_string()
                        ? store::clipped(reason->get_string(), store::max_reason_bytes)
                        : "",
          .role = "",
          .application = ""};
}

commands::Author author_of(const RouteContext& context, const Call& call) {
  return {call.admin.subject, context.parts.clock.wall(), note_of(context, call)};
}

CommittedAnswer key_answer(commands::KeyAnswer answer, UnixMillis now) {
  http::Response head = private_head(200).with_header("ETag", etag_of(answer.key));
  auto members = [answer = std::move(answer), now](JsonWriter& out) {
    write_members(out, answer.key, answer.commit.position.epoch, now);
    write_effective(out, answer.key, answer.terms);
  };
  return {std::move(head), std::move(members)};
}

CommittedAnswer issued_answer(const Parts& parts, commands::Issued issued, int status, Location location) {
  auto token = parts.ring.mint(issued.key, issued.kid);
  if (!token) return {to_response(token.error())};
  http::Response head = private_head(status);
  if (location == Location::present) head.with_header("Location", "/v1/keys/" + issued.key.id.to_string());
  head.with_header("ETag", etag_of(issued.key));
  auto members = [presented = Secret(parts.key_prefix + std::string(token->reveal())),
                  issued = std::move(issued)](JsonWriter& out) {
    out.member("accessKey", presented.reveal()).name("key").begin_object();
    write_members(out, issued.key, issued.commit.position.epoch, issued.key.updated_at);
    write_effective(out, issued.key, issued.terms);
    out.end_object();
  };
  return {std::move(head), std::move(members)};
}

void continue_on(WorkerPool& pool, std::move_only_function<void()> work) {
  const auto shared = std::make_shared<std::move_only_function<void()>>(std::move(work));
  if (!pool.submit([shared] { (*shared)(); })) (*shared)();
}

}  // namespace latchkey::keys_service
