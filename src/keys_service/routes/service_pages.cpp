// What the service says about itself: description, problem types, life, readiness, metrics.

#include <string_view>

#include "base/json_writer.hpp"
#include "http/problem.hpp"
#include "keys_service/routes.hpp"

namespace latchkey::embedded {
extern const std::string_view keys_openapi;
}

namespace latchkey::keys_service::routes {
void openapi(RouteContext&, const Call&, Reply reply) {
  reply.send(
      http::json_response(200, std::string(embedded::keys_openapi)).with_header("Cache-Control", "public, max-age=60"));
}

void console(RouteContext& context, const Call&, Reply reply) { reply.send(pages::console(context.parts.sign_in)); }

void problem(RouteContext&, const Call& call, Reply reply) {
  const auto page = pages::problem(call.request.params[0]);
  reply.send(page ? *page : http::to_response({"not-found", "Not found", 404, "There is no such problem type."}));
}

void healthz(RouteContext&, const Call&, Reply reply) { reply.send(http::json_response(200, R"({"status":"ok"})")); }

void readyz(RouteContext& context, const Call&, Reply reply) {
  const auto position = context.store_health.position();
  if (position) {
    JsonWriter out;
    out.begin_object().member("status", "ready").member("position", position->to_string()).end_object();
    return reply.send(http::json_response(200, out.take()));
  }
  auto response = http::to_response({"not-ready", "Not ready", 503, "The store does not answer."});
  reply.send(response.with_header("Retry-After", "1"));
}

void metrics(RouteContext& context, const Call&, Reply reply) {
  reply.send({200, std::string(Metrics::content_type), {}, context.parts.metrics.render()});
}

}  // namespace latchkey::keys_service::routes
