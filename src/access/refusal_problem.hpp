#pragma once

// Refusals as HTTP answers (docs/operations.md): problem documents (RFC 9457) with the challenge of RFC 6750.
//
//   status  type                    refusals
//   400     ambiguous-credentials   ambiguous
//   401     no-credentials          no_credentials: the challenge has no error code
//   401     invalid-token           malformed, unknown_key, bad_signature: one type, so that guessing teaches nothing
//   401     key-rotated, key-deleted, key-disabled, user-disabled, key-expired      after a good signature
//   403     wrong-kind, wrong-role  insufficient_scope
//   403     network-not-allowed     none
//   403     insufficient-scope      likewise; the scope that is needed is the caller's to add
//   403     no-rule, ambiguous-path, original-request-unknown        before any key is looked at
//   403     no-limit
//   429     rate-limited
//   503     stale-view, overloaded, limiter-unavailable, limit-not-enforced      with Retry-After

#include <span>
#include <string_view>

#include "access/refusal.hpp"
#include "http/exchange.hpp"
#include "http/problem.hpp"

namespace latchkey::access {

http::Problem to_problem(Refusal refusal);
/// "rate-limited": the last word of the problem's type.
std::string_view problem_name(Refusal refusal);

/// By counts of limits: its document has `violated-policies`, the names of those that refuse
/// (draft-ietf-httpapi-ratelimit-headers).
bool names_limits(Refusal refusal);

/// Made once, valid for ever: body and header lines. What only the request knows is the caller's to add: rate limit
/// headers, and Retry-After of a 429. The limit named is `per-minute`, which most keys have and no others.
const http::Answer& answer_of(Refusal refusal);

/// The same with an owner, for deferred answers and routes that add headers.
http::Response to_response(Refusal refusal);
/// `problem` is to_problem()'s, perhaps changed; without header lines. `limits`: where names_limits().
http::Response to_response(Refusal refusal, const http::Problem& problem, std::span<const std::string_view> limits);

}  // namespace latchkey::access
