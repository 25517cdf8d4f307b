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

// Whether the query asks about the limiter as well; nullopt: it includes what there is not.
std::optional<bool> includes_limiter(std::string_view query) {
  const auto parameters = http::parse_query(query);
  if (!parameters) return std::nullopt;
  bool limiter = false;
  for (const auto& [name, value] : *parameters) {
    if (name != "include") continue;
    if (value != "limiter") return std::nullopt;
    limiter = true;
  }
  return limiter;
}

enum class Limiter : std::uint8_t { not_asked, local, reachable, unreachable };

std::string_view to_string(Limiter limiter) {
  return limiter == Limiter::local ? "local" : limiter == Limiter::reachable ? "reachable" : "unreachable";
}

Limiter limiter_of(const Parts& parts) {
  if (!parts.shared_limiter_reachable) return Limiter::local;
  return parts.shared_limiter_reachable() ? Limiter::reachable : Limiter::unreachable;
}

// The reasons that it is not ready are told apart for the operator.
void write_state(JsonWriter& out, const Parts& parts, access::Readiness readiness, Limiter limiter) {
  const auto freshness = parts.view.freshness();
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(parts.clock.boot() - freshness.current_as_of);
  const auto rows = parts.digests != nullptr ? parts.digests->stats().last : view::Agreement::unknown;
  out.member("state", to_string(readiness))
      .member("position", freshness.position.to_string())
      .member("ageMillis", freshness.complete ? std::optional(age.count()) : std::nullopt)
      .member("rows", view::to_string(rows));
  if (limiter != Limiter::not_asked) out.member("limiter", to_string(limiter));
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
  const auto asked = includes_limiter(exchange.request().query);
  if (!asked) {
    return exchange.answer(http::to_response({"invalid-request", "Invalid request", 400, "include may be limiter."}));
  }
  const auto readiness = parts.check.readiness();
  const auto limiter = *asked ? limiter_of(parts) : Limiter::not_asked;
  JsonWriter out;
  out.begin_object();
  if (readiness == access::Readiness::ready && limiter != Limiter::unreachable) {
    write_state(out.member("status", "ready"), parts, readiness, limiter);
    return exchange.answer(http::json_response(200, out.end_object().take()));
  }
  http::write_members(out, {"not-ready", "Not ready", 503,
                            readiness == access::Readiness::ready
                                ? "The shared limiter cannot be reached."
                                : "The view is not complete, not registered, or too old to decide by."});
  write_state(out, parts, readiness, limiter);
  exchange.answer(http::Response{503, "application/problem+json", "Retry-After: 1\r\n", out.end_object().take()});
}

void metrics(const Parts& parts, http::Exchange& exchange) {
  const std::string text = parts.metrics.render();
  exchange.answer(http::Answer{200, Metrics::content_type, {}, text});
}

}  // namespace latchkey::tokens_service::routes
