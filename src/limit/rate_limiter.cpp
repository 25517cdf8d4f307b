#include "limit/rate_limiter.hpp"

#include <algorithm>
#include <utility>

#include "key/access_key.hpp"

namespace latchkey::limit {
namespace {

// What an engine can do that knows the plain limit only.

bool is_plain_only(const ActiveLimit& limit) {
  return limit.counter == per_minute_counter && !limit.per_user && !limit.observe &&
         limit.requests <= max_requests_per_minute;
}

bool is_plain_only(const Charge& charge) {
  return charge.limits.size() == 1 && is_plain_only(charge.limits.front()) && charge.cost == 1;
}

Limit plain_limit(const Charge& charge) {
  const ActiveLimit& limit = charge.limits.front();
  return {.requests_per_minute = limit.requests, .version = limit.version, .epoch = limit.epoch};
}

Verdict not_enforced(const Charge& charge) {
  Verdict verdict{.outcome = Outcome::not_enforced, .retry_after_seconds = 1};
  verdict.count = std::min(charge.limits.size(), max_limits);
  for (std::size_t i = 0; i < verdict.count; ++i) {
    verdict.standings[i].refuses = charge.limits.size() > 1 || !is_plain_only(charge.limits[i]) || charge.cost != 1;
  }
  return verdict;
}

Verdict verdict_of(const Decision& decision) {
  Verdict verdict{.retry_after_seconds = decision.retry_after_seconds, .count = 1};
  verdict.standings[0] = {.remaining = decision.remaining, .reset_seconds = decision.reset_seconds};
  if (decision.admitted) return verdict;
  verdict.outcome = decision.unavailable ? Outcome::unavailable : decision.full ? Outcome::full : Outcome::limited;
  verdict.standings[0].refuses = verdict.outcome == Outcome::limited;
  return verdict;
}

}  // namespace

std::optional<Verdict> RateLimiter::try_charge(const Charge& charge) {
  if (!is_plain_only(charge)) return not_enforced(charge);
  const auto decision = try_admit(charge.key, plain_limit(charge));
  return decision ? std::optional(verdict_of(*decision)) : std::nullopt;
}

void RateLimiter::charge_later(const Charge& charge, VerdictLater done) {
  if (!is_plain_only(charge)) return done(not_enforced(charge));
  admit_later(charge.key, plain_limit(charge),
              [done = std::move(done)](Decision decision) mutable { done(verdict_of(decision)); });
}

Verdict RateLimiter::look(const Charge& charge) {
  if (charge.limits.size() != 1 || !is_plain_only(charge.limits.front())) return not_enforced(charge);
  const Allowance left = peek(charge.key, plain_limit(charge));
  Verdict verdict{.count = 1};
  verdict.standings[0] = {.remaining = left.remaining, .reset_seconds = left.reset_seconds};
  return verdict;
}

}  // namespace latchkey::limit
