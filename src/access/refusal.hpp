#pragma once

#include <cstdint>
#include <string_view>

namespace latchkey::access {

/// Every reason a request may be refused, in the order in which the access check looks (design.md 6).
enum class Refusal : std::uint8_t {
  no_credentials,      // 401, no error code
  ambiguous,           // 400: two different keys, or a key in the query string
  malformed,           // 401 invalid-token
  wrong_kind,          // 403: e.g. an admin token
  wrong_role,          // 403
  unknown_key,         // 401 invalid-token: signing key or key id unknown
  bad_signature,       // 401 invalid-token
  rotated,             // 401 key-rotated: good signature, an earlier issue
  deleted,             // 401 key-deleted
  disabled,            // 401 key-disabled
  expired,             // 401 key-expired
  rate_limited,        // 429
  stale_view,          // 503: the view is too old to be trusted, or not loaded
  overloaded,          // 503: too many signatures wait to be checked
  limiter_unavailable  // 503: shared limiter state cannot be reached
};

constexpr std::size_t refusal_count = 15;

/// "no-credentials", "rate-limited", …: for logs, metrics and the request log.
std::string_view to_string(Refusal refusal);

}  // namespace latchkey::access
