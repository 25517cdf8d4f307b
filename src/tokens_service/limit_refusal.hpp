#pragma once

// What a limiter refused, as an answer: a problem document with `violated-policies` (draft-ietf-httpapi-ratelimit-headers),
// the names of the limits that refused.

#include <boost/container/static_vector.hpp>
#include <span>
#include <string_view>

#include "access/access_check.hpp"
#include "access/limits_in_force.hpp"
#include "access/refusal.hpp"
#include "http/message.hpp"

namespace latchkey::tokens_service {

/// How proxies are told that a request is refused by a limit: some make a 500 of all but 401 and 403 (nginx's
/// auth_request).
enum class Deny : std::uint8_t {
  as_is,
  as_403  // with the true status in X-Latchkey-Status
};

/// What a request of this holder is charged, whatever it costs.
access::LimitsInForce limits_of(const access::Holder& holder);
/// Of a verdict that does not admit.
access::Refusal refusal_of(const access::LimitsInForce& limits, const limit::Verdict& verdict);
using LimitNames = boost::container::static_vector<std::string_view, max_limits>;
/// Those that refuse; views into `limits`.
LimitNames refusing(const access::LimitsInForce& limits, const limit::Verdict& verdict);

/// `reason`: of the limiter's. What only the request knows (rate limit headers, Retry-After of a 429) is the caller's to
/// add. What failed here, a 503, stays one whatever `deny` says.
http::Response limit_refusal(access::Refusal reason, Deny deny, std::span<const std::string_view> limits);

/// Made once, of the limit that most keys have.
const http::Answer& per_minute_refusal(Deny deny);

}  // namespace latchkey::tokens_service
