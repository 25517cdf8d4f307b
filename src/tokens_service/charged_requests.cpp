// A request's way past the limiter where its key has other limits than one number of requests per minute, or where the
// request does not cost one.

#include <algorithm>

#include "access/refusal_problem.hpp"
#include "tokens_service/holder_requests.hpp"
#include "tokens_service/limit_refusal.hpp"

namespace latchkey::tokens_service {
namespace {

using access::LimitsInForce;
using access::Refusal;
using limit::Verdict;

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
  if (would_limit(verdict)) {
    metrics_.would_limit();
    usage_.would_limit(call, holder);
  }
  HeaderLines lines;
  lines.rate_limits(limits, verdict).lines(not_stored);
  metrics_.admitted();
  usage_.admitted(call, holder, cost_of(call));
  std::get<HolderRoute>(call.route->handler).answer(*this, call, holder, lines);
}

void HolderRequests::refuse_charge(Call& call, const Holder& holder, const LimitsInForce& limits,
                                   const Verdict& verdict) {
  const Refusal reason = refusal_of(limits, verdict);
  const LimitNames names = refusing(limits, verdict);
  const http::Response response = limit_refusal(reason, call.deny, names);
  HeaderLines lines;
  if (access::names_limits(reason)) lines.rate_limits(limits, verdict);
  if (verdict.outcome == limit::Outcome::limited) lines.retry_after(verdict.retry_after_seconds);
  lines.lines(response.header_lines);
  if (call.deny == Deny::as_403) name_problem(lines, {}, reason);
  metrics_.refused(reason);
  usage_.refused(call, reason, &holder);
  send_refusal(call, response.view(), lines, {to_string(reason), &holder, names, verdict.retry_after_seconds});
}

}  // namespace latchkey::tokens_service
