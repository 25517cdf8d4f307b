#include "access/refusal_problem.hpp"

#include <array>

#include "key/limit_spec.hpp"

namespace latchkey::access {
namespace {

struct Row {
  std::string_view name;
  std::string_view title;
  int status;
  std::string_view header_lines;
  std::string_view detail;
};

constexpr std::string_view invalid_token = "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";
constexpr std::string_view insufficient_scope = "WWW-Authenticate: Bearer error=\"insufficient_scope\"\r\n";
constexpr std::string_view retry_soon = "Retry-After: 1\r\n";

constexpr Row not_a_valid_token = {"invalid-token", "Invalid access key", 401, invalid_token,
                                   "The access key is not valid."};

constexpr std::array<Row, refusal_count> rows = {{
    {"no-rule", "No rule", 403, {}, "No access rule of this service is for this request."},
    {"ambiguous-path",
     "Ambiguous path",
     403,
     {},
     "The path may be read in more than one way: it has an empty, dot or encoded segment, or an octet that no path "
     "needs."},
    {"original-request-unknown",
     "Original request unknown",
     403,
     {},
     "Access rules match the original request, and no trusted proxy says which it was."},
    {"no-credentials", "Access key required", 401, "WWW-Authenticate: Bearer\r\n",
     "Send an access key as Authorization: Bearer, or as X-API-Key."},
    {"ambiguous-credentials",
     "Ambiguous credentials",
     400,
     {},
     "Send one access key, in one Authorization or one X-API-Key header, and never in the query string."},
    not_a_valid_token,  // malformed
    {"wrong-kind", "Not an access key", 403, insufficient_scope, "This token is of a kind that may not be used here."},
    {"wrong-role", "Role not sufficient", 403, insufficient_scope, "The role of this access key may not do this."},
    not_a_valid_token,  // unknown_key
    not_a_valid_token,  // bad_signature
    {"key-rotated", "Access key rotated", 401, invalid_token, "A newer issue has replaced this access key."},
    {"key-deleted", "Access key deleted", 401, invalid_token, "This access key has been deleted."},
    {"key-disabled", "Access key disabled", 401, invalid_token, "This access key is disabled."},
    {"user-disabled", "User disabled", 401, invalid_token, "The user of this access key is disabled."},
    {"key-expired", "Access key expired", 401, invalid_token, "This access key has expired."},
    {"network-not-allowed",
     "Network not allowed",
     403,
     {},
     "This access key may not be used from where the request comes."},
    {"insufficient-scope", "Scope not sufficient", 403, insufficient_scope,
     "This request needs a scope that the access key does not have."},
    {"no-limit",
     "No limit in force",
     403,
     {},
     "Neither this access key nor its user nor its plan has a limit, and the key is not said to need none."},
    {"cost-exceeds-limit",
     "Cost exceeds limit",
     403,
     {},
     "This request costs more than a limit of the access key admits at all, so it can never pass."},
    {"rate-limited",
     "Too many requests",
     429,
     {},
     "A limit of this access key is used up. Retry-After says when a request of this cost may pass."},
    {"quota-exceeded",
     "Quota exceeded",
     429,
     {},
     "The budget of a period is used up. Retry-After says when a request of this cost may pass."},
    {"stale-view", "Not up to date", 503, retry_soon,
     "This replica has no sufficiently recent knowledge of the access keys. Try again, or another replica."},
    {"overloaded", "Overloaded", 503, retry_soon, "Too many requests wait for their access keys to be verified."},
    {"limiter-unavailable", "Rate limit unavailable", 503, retry_soon,
     "The state of the rate limit cannot be reached, or not be made durable in time, so nothing may pass."},
    {"limiter-full", "Limiter full", 503, retry_soon,
     "There is no room for one more counter (LATCHKEY_LIMITER_MAX_COUNTERS), so nothing that needs one may pass."},
    {"unknown-time-zone", "Unknown time zone", 503, retry_soon,
     "A limit that is in force for this access key has a time zone that this replica does not know."},
    {"limit-not-enforced", "Limit not enforced", 503, retry_soon,
     "A limit that is in force for this access key cannot be enforced by this replica's limiter (LATCHKEY_LIMITER), so "
     "nothing may pass."},
}};

const Row& row_of(Refusal refusal) { return rows[static_cast<std::size_t>(refusal)]; }

}  // namespace

http::Problem to_problem(Refusal refusal) {
  const Row& row = row_of(refusal);
  return {row.name, row.title, row.status, std::string(row.detail)};
}

bool names_limits(Refusal refusal) {
  return refusal == Refusal::rate_limited || refusal == Refusal::quota_exceeded ||
         refusal == Refusal::cost_exceeds_limit;
}

std::string_view problem_name(Refusal refusal) { return row_of(refusal).name; }

http::Response to_response(Refusal refusal) {
  http::Response response = to_response(refusal, to_problem(refusal), std::array{per_minute_name});
  response.header_lines = row_of(refusal).header_lines;
  return response;
}

http::Response to_response(Refusal refusal, const http::Problem& problem, std::span<const std::string_view> limits) {
  JsonWriter out;
  http::write_members(out.begin_object(), problem);
  if (names_limits(refusal)) {
    out.name("violated-policies").begin_array();
    for (const std::string_view name : limits) out.value(name);
    out.end_array();
  }
  return {problem.status, "application/problem+json", {}, out.end_object().take()};
}

const http::Answer& answer_of(Refusal refusal) {
  struct Made {
    std::array<http::Response, refusal_count> responses;
    std::array<http::Answer, refusal_count> answers;
    Made() {
      for (std::size_t i = 0; i < refusal_count; ++i) {
        responses[i] = to_response(static_cast<Refusal>(i));
        answers[i] = responses[i].view();
      }
    }
  };
  static const Made made;
  return made.answers[static_cast<std::size_t>(refusal)];
}

}  // namespace latchkey::access
