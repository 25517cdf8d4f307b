// What the service says about itself: description, readiness, metrics.

#include <string_view>

#include "base/json_writer.hpp"
#include "http/problem.hpp"
#include "keys_service/routes.hpp"

namespace latchkey::embedded {
extern const std::string_view keys_openapi;
extern const std::string_view keys_docs;
}  // namespace latchkey::embedded

namespace latchkey::keys_service::routes {
namespace {

// The page's own script and style stand in it; nothing is fetched but the description.
constexpr std::string_view docs_policy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace

void openapi(RouteContext&, const Call&, Reply reply) {
  reply.send(
      http::json_response(200, std::string(embedded::keys_openapi)).with_header("Cache-Control", "public, max-age=60"));
}

void docs(RouteContext&, const Call&, Reply reply) {
  http::Response response{200, "text/html; charset=utf-8", {}, std::string(embedded::keys_docs)};
  reply.send(response.with_header("Content-Security-Policy", docs_policy)
                 .with_header("X-Content-Type-Options", "nosniff")
                 .with_header("Referrer-Policy", "no-referrer"));
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
