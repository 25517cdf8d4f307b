#pragma once

#include <cstdint>
#include <string_view>

#include "jwt/access_token.hpp"
#include "key/issue.hpp"

namespace latchkey::access {

/// Every reason a request may be refused.
///
/// The order of the checks; the first that fails gives the reason, and nothing before the limiter is counted:
///   0. the rule for the request, where there are rules (rules/)      no_rule, ambiguous_path, original_request_unknown
///   1. the credentials (access/credentials.hpp)                      no_credentials, ambiguous
///   2. the token's shape, then its kind and role (jwt/access_token)  malformed, wrong_kind, wrong_role
///   3. the view: complete, fresh, and this replica registered        stale_view
///   4. the signing key, then the key id, in the view                 unknown_key
///   5. room in the queue for signatures                              overloaded
///   6. the signature                                                 bad_signature
///   7. the issue, then the key's status (key/issue.hpp), with the    rotated, deleted, disabled, user_disabled,
///      user between the key's own status and its expiry              expired
///   8. the network, then the rule's scopes, where the route counts   network_not_allowed, insufficient_scope
///   9. what limits are in force, where the route counts              no_limit, unknown_time_zone, limit_not_enforced
///  10. the limiter                                                   rate_limited, quota_exceeded, cost_exceeds_limit,
///                                                                    limiter_unavailable, limiter_full
/// A token that the view remembers skips 2 and 4 to 6: its digest proves them. The steps 2 to 7 are AccessCheck's.
enum class Refusal : std::uint8_t {
  no_rule,                   // 403: no rule is for this request
  ambiguous_path,            // 403: rules match paths, and this one may be read in two ways
  original_request_unknown,  // 403: rules match the original request, and no trusted proxy says which it was
  no_credentials,            // 401, no error code
  ambiguous,                 // 400: two different keys, or a key in the query string
  malformed,                 // 401 invalid-token
  wrong_kind,                // 403: e.g. an admin token
  wrong_role,                // 403
  unknown_key,               // 401 invalid-token: signing key or key id unknown
  bad_signature,             // 401 invalid-token
  rotated,                   // 401 key-rotated: good signature, an earlier issue
  deleted,                   // 401 key-deleted
  disabled,                  // 401 key-disabled
  user_disabled,             // 401 user-disabled: the user, not the key
  expired,                   // 401 key-expired
  network_not_allowed,       // 403: the key may not be used from there, or nobody knows from where it was
  insufficient_scope,        // 403: the rule needs a scope that the key does not have
  no_limit,                  // 403: no limit is in force for the key, and it does not say that it needs none
  cost_exceeds_limit,        // 403: the request costs more than a limit ever admits
  rate_limited,              // 429
  quota_exceeded,            // 429: the budget of a period is among what is used up
  stale_view,                // 503: the view is too old to be trusted, or not loaded
  overloaded,                // 503: too many signatures wait to be checked
  limiter_unavailable,       // 503: shared limiter state cannot be reached, or not be made durable in time
  limiter_full,              // 503: no room for one more counter
  unknown_time_zone,         // 503: this replica does not know the time zone of a limit in force
  limit_not_enforced         // 503: a limit is in force that this replica cannot enforce
};

constexpr std::size_t refusal_count = 27;

/// "no-credentials", "rate-limited", …: for logs, metrics and the request log.
std::string_view to_string(Refusal refusal);

Refusal refusal_of(jwt::TokenFault fault);
Refusal refusal_of(IssueRefusal refusal);

}  // namespace latchkey::access
