#include "access/refusal.hpp"

#include <array>

namespace latchkey::access {

std::string_view to_string(Refusal refusal) {
  static constexpr std::array<std::string_view, refusal_count> names = {
      "no-credentials", "ambiguous",     "malformed",  "wrong-kind", "wrong-role",
      "unknown-key",    "bad-signature", "rotated",    "deleted",    "disabled",
      "expired",        "rate-limited",  "stale-view", "overloaded", "limiter-unavailable"};
  return names[static_cast<std::size_t>(refusal)];
}

}  // namespace latchkey::access
