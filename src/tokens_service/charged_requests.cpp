// A request's way past the limiter where its key has other limits than one number of requests per minute, or where the
// request does not cost one.

#include <boost/container/static_vector.hpp>

#include <algorithm>

#include "access/refusal_problem.hpp"
#include "tokens_service/holder_requests.hpp"
#include "tokens_service/limit_refusal.hpp"

namespace latchkey::tokens_service {
namespace {

using access::LimitsInForce;
using access::Refusal;
using limit::Verdict;

LimitsInForce limits_of(const access::Holder& holder) {
  if (holder.bound == access::Bound::listed) return holder.limits;
  return LimitsInForce::per_minute(holder.requests_per_minute, holder.version);
}

using Names = boost::container::static_vector<std::string_view, max_limits>;

/// Of those that refuse.
Names refusing(const LimitsInForce& limits, const Verdict& verdict) {
  Names names;
  for (std::size_t i = 0; i < verdict.count; ++i) {
    if (verdict.standings[i].refuses) names.push_back(limits.name(i));
  }
  return names;
}

bool a_period_refuses(const LimitsInForce& limits, const Verdict& verdict) {
  for (std::size_t i = 0; i < verdict.count; ++i) {
    if (verdict.standings[i].refuses && limits[i].calendar != nullptr) return true;
  }
  return false;
}

Refusal refusal_of(const LimitsInForce& limits, const Verdict& verdict) {
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

bool would_limit(const Verdict& verdict) {
  return std::ranges::any_of(verdict.limits(), &limit::Standing::would_limit);
}

}  // namespace

void HolderRequests::charge(Call& call, const Holder& holder) {
  LimitsInForce limits = limits_of(holder);
  const limit::Charge charge = limits.charge(holder.key_id, cost_of(call), call.position.epoch);
  if (const auto verdict = parts_.limiter.try_charge(charge)) return charged(call, holder, limits, *verdict);
  const auto kept = keep(call);
  parts_.limiter.charge_later(
      charge, [this, kept, holder, limits](const Verdict& verdict) { charged(*kept, holder, limits, verdict); });
}

void HolderRequests::charged(Call& call, const Holder& holder, const LimitsInForce& limits, const Verdict& verdict) {
  if (!verdict.admitted()) return refuse_charge(call, holder, limits, verdict);
  if (would_limit(verdict)) metrics_.would_limit();
  HeaderLines lines;
  lines.rate_limits(limits, verdict).lines(not_stored);
  metrics_.admitted();
  std::get<HolderRoute>(call.route->handler).answer(*this, call, holder, lines);
}

void HolderRequests::refuse_charge(Call& call, const Holder& holder, const LimitsInForce& limits,
                                   const Verdict& verdict) {
  const Refusal reason = refusal_of(limits, verdict);
  const http::Response response = limit_refusal(reason, call.deny, refusing(limits, verdict));
  HeaderLines lines;
  if (access::names_limits(reason)) lines.rate_limits(limits, verdict);
  if (verdict.outcome == limit::Outcome::limited) lines.retry_after(verdict.retry_after_seconds);
  lines.lines(response.header_lines);
  if (call.deny == Deny::as_403) name_problem(lines, {}, reason);
  metrics_.refused(reason);
  note(call, response.status, to_string(reason), &holder);
  send(call, {response.status, response.content_type, lines.text(), response.body});
}

}  // namespace latchkey::tokens_service
