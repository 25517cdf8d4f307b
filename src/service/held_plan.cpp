#include "service/held_plan.hpp"

namespace latchkey::service {

void write_members(JsonWriter& out, const HeldPlan& plan) {
  out.member("keyId", plan.key_id.to_string())
      .member("userId", plan.user_id)
      .member("requestsPerMinute", plan.requests_per_minute)
      .member("expiresAt", plan.expires_at)
      .member("status", to_string(plan.status))
      .member("issuedAt", UnixMillis{plan.issued_at.seconds * 1000});
  if (plan.left) out.member("remaining", plan.left->requests).member("resetSeconds", plan.left->reset_seconds);
  out.member("position", plan.position.to_string());
}

}  // namespace latchkey::service
