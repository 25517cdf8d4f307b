#include "access/refusal.hpp"

#include <array>

namespace latchkey::access {

std::string_view to_string(Refusal refusal) {
  static constexpr std::array<std::string_view, refusal_count> names = {"no-rule",
                                                                        "ambiguous-path",
                                                                        "original-request-unknown",
                                                                        "no-credentials",
                                                                        "ambiguous",
                                                                        "malformed",
                                                                        "wrong-kind",
                                                                        "wrong-role",
                                                                        "unknown-key",
                                                                        "bad-signature",
                                                                        "rotated",
                                                                        "deleted",
                                                                        "disabled",
                                                                        "user-disabled",
                                                                        "expired",
                                                                        "network-not-allowed",
                                                                        "insufficient-scope",
                                                                        "no-limit",
                                                                        "cost-exceeds-limit",
                                                                        "rate-limited",
                                                                        "quota-exceeded",
                                                                        "stale-view",
                                                                        "overloaded",
                                                                        "limiter-unavailable",
                                                                        "limiter-full",
                                                                        "unknown-time-zone",
                                                                        "limit-not-enforced"};
  return names[static_cast<std::size_t>(refusal)];
}

Refusal refusal_of(jwt::TokenFault fault) {
  switch (fault) {
    case jwt::TokenFault::another_kind:
      return Refusal::wrong_kind;
    case jwt::TokenFault::another_role:
      return Refusal::wrong_role;
    case jwt::TokenFault::malformed:
      break;
  }
  return Refusal::malformed;
}

Refusal refusal_of(IssueRefusal refusal) {
  switch (refusal) {
    case IssueRefusal::deleted:
      return Refusal::deleted;
    case IssueRefusal::disabled:
      return Refusal::disabled;
    case IssueRefusal::expired:
      return Refusal::expired;
    case IssueRefusal::rotated:
      break;
  }
  return Refusal::rotated;
}

}  // namespace latchkey::access
