// What the service says about itself: description, life, readiness, metrics.

#include <string_view>

#include "base/json_writer.hpp"
#include "http/problem.hpp"
#include "tokens_service/routes.hpp"

namespace latchkey::embedded {
extern const std::string_view tokens_openapi;
}

namespace latchkey::tokens_service::routes {
namespace {

std::string_view to_string(access::Readiness readiness) {
  switch (readiness) {
    case access::Readiness::ready:
      return "ready";
    case access::Readiness::loading:
      return "loading";
    case access::Readiness::unregistered:
      return "unregistered";
    case access::Readiness::stale:
      break;
  }
  return "stale";
}

// The reasons that it is not ready are told apart for the operator.
void write_state(JsonWriter& out, const Parts& parts, access::Readiness readiness) {
  const auto freshness = parts.view.freshness();
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(parts.clock.boot() - freshness.current_as_of);
  const auto rows = parts.digests != nullptr ? parts.digests->stats().last : view::Agreement::unknown;
  out.member("state", to_string(readiness))
      .member("position", freshness.position.to_string())
      .member("ageMillis", freshness.complete ? std::optional(age.count()) : std::nullopt)
      .member("rows", view::to_string(rows));
}

}  // namespace

void openapi(const Parts&, http::Exchange& exchange) {
  exchange.answer(http::Answer{200, "application/json", {}, embedded::tokens_openapi});
}

void problem(const Parts&, http::Exchange& exchange) {
  const auto page = pages::problem(exchange.request().params[0]);
  exchange.answer(page ? *page : http::to_response({"not-found", "Not found", 404, "There is no such problem type."}));
}

void healthz(const Parts&, http::Exchange& exchange) {
  exchange.answer(http::Answer{200, "application/json", {}, R"({"status":"ok"})"});
}

// Ready is what the access check would decide by.
void readyz(const Parts& parts, http::Exchange& exchange) {
  const auto readiness = parts.check.readiness();
  JsonWriter out;
  out.begin_object();
  if (readiness == access::Readiness::ready) {
    write_state(out.member("status", "ready"), parts, readiness);
    return exchange.answer(http::json_response(200, out.end_object().take()));
  }
  http::write_members(
      out, {"not-ready", "Not ready", 503, "The view is not complete, not registered, or too old to decide by."});
  write_state(out, parts, readiness);
  exchange.answer(http::Response{503, "application/problem+json", "Retry-After: 1\r\n", out.end_object().take()});
}

void metrics(const Parts& parts, http::Exchange& exchange) {
  const std::string text = parts.metrics.render();
  exchange.answer(http::Answer{200, Metrics::content_type, {}, text});
}

}  // namespace latchkey::tokens_service::routes
