#include "keys_service/answers.hpp"

#include <memory>

#include "base/json.hpp"
#include "keys_service/error_response.hpp"
#include "keys_service/key_json.hpp"

namespace latchkey::keys_service {

http::Response private_json(int status, std::string body) {
  return http::json_response(status, std::move(body)).with_header("Cache-Control", "no-store");
}

commands::Author author_of(const RouteContext& context, const Call& call) {
  return {call.admin.subject, context.parts.clock.wall()};
}

http::Response key_answer(const commands::KeyAnswer& answer, UnixMillis now) {
  return private_json(200, to_json(answer.key, answer.commit.position.epoch, now))
      .with_header("ETag", etag_of(answer.key));
}

http::Response issued_answer(const commands::KeyRing& ring, const commands::Issued& issued, int status,
                             Location location) {
  const auto token = ring.mint(issued.key, issued.kid);
  if (!token) return to_response(token.error());
  std::string body = "{\"accessKey\":";
  append_json_string(body, token->reveal());
  body += ",\"key\":" + to_json(issued.key, issued.commit.position.epoch, issued.key.updated_at) + '}';
  http::Response response = private_json(status, std::move(body));
  if (location == Location::present) response.with_header("Location", "/v1/keys/" + issued.key.id.to_string());
  return response.with_header("ETag", etag_of(issued.key));
}

void continue_on(WorkerPool& pool, std::move_only_function<void()> work) {
  const auto shared = std::make_shared<std::move_only_function<void()>>(std::move(work));
  if (!pool.submit([shared] { (*shared)(); })) (*shared)();
}

}  // namespace latchkey::keys_service
