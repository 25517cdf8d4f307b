#include "tokens_service/limit_refusal.hpp"

#include <array>

#include "access/refusal_problem.hpp"
#include "key/limit_spec.hpp"

namespace latchkey::tokens_service {
namespace {

using access::Refusal;

std::string quoted(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) text.append(text.empty() ? "\"" : ", \"").append(name) += '"';
  return text;
}

bool a_period_refuses(const access::LimitsInForce& limits, const limit::Verdict& verdict) {
  for (std::size_t i = 0; i < verdict.count; ++i) {
    if (verdict.standings[i].refuses && limits[i].calendar != nullptr) return true;
  }
  return false;
}

}  // namespace

access::LimitsInForce limits_of(const access::Holder& holder) {
  if (holder.bound == access::Bound::listed) return holder.limits;
  return access::LimitsInForce::per_minute(holder.requests_per_minute, holder.version);
}

Refusal refusal_of(const access::LimitsInForce& limits, const limit::Verdict& verdict) {
  switch (verdict.outcome) {
    case limit::Outcome::cost_exceeds_limit:
      return Refusal::cost_exceeds_limit;
    case limit::Outcome::full:
      return Refusal::limiter_full;
    case limit::Outcome::not_enforced:
      return Refusal::limit_not_enforced;
    case limit::Outcome::limited:
      return a_period_refuses(limits, verdict) ? Refusal::quota_exceeded : Refusal::rate_limited;
    case limit::Outcome::admitted:
    case limit::Outcome::unavailable:
      break;
  }
  return Refusal::limiter_unavailable;
}

LimitNames refusing(const access::LimitsInForce& limits, const limit::Verdict& verdict) {
  LimitNames names;
  for (std::size_t i = 0; i < verdict.count; ++i) {
    if (verdict.standings[i].refuses) names.push_back(limits.name(i));
  }
  return names;
}

http::Response limit_refusal(Refusal reason, Deny deny, std::span<const std::string_view> limits) {
  http::Problem problem = access::to_problem(reason);
  const int status = problem.status;
  if (deny == Deny::as_403 && status == 429) problem.status = 403;
  if (reason == Refusal::limit_not_enforced && !limits.empty())
    problem.detail += " It is named " + quoted(limits) + ".";
  http::Response response = access::to_response(reason, problem, limits);
  response.header_lines = access::answer_of(reason).header_lines;
  if (problem.status != status) response.with_header("X-Latchkey-Status", std::to_string(status));
  return response;
}

const http::Answer& per_minute_refusal(Deny deny) {
  static const http::Response hidden = limit_refusal(Refusal::rate_limited, Deny::as_403, std::array{per_minute_name});
  static const http::Answer answer = hidden.view();
  return deny == Deny::as_is ? access::answer_of(Refusal::rate_limited) : answer;
}

}  // namespace latchkey::tokens_service
