#pragma once

// What a limiter refused, as an answer: a problem document with `violated-policies` (draft-ietf-httpapi-ratelimit-headers),
// the names of the limits that refused.

#include <span>
#include <string_view>

#include "access/refusal.hpp"
#include "http/message.hpp"

namespace latchkey::tokens_service {

/// How proxies are told that a request is refused by a limit: some make a 500 of all but 401 and 403 (nginx's
/// auth_request).
enum class Deny : std::uint8_t {
  as_is,
  as_403  // with the true status in X-Latchkey-Status
};

/// `reason`: of the limiter's. What only the request knows (rate limit headers, Retry-After of a 429) is the caller's to
/// add. What failed here, a 503, stays one whatever `deny` says.
http::Response limit_refusal(access::Refusal reason, Deny deny, std::span<const std::string_view> limits);

/// Made once, of the limit that most keys have.
const http::Answer& per_minute_refusal(Deny deny);

}  // namespace latchkey::tokens_service
