#include "service/held_plan.hpp"

#include <fmt/format.h>

namespace latchkey::service {
namespace {

void write(JsonWriter& out, const HeldPlan::Limit& limit) {
  std::string text = to_json(limit.spec);
  if (limit.left) {
    text.pop_back();  // the brace
    text += fmt::format(R"(,"remaining":{},"resetSeconds":{}}})", limit.left->requests, limit.left->reset_seconds);
  }
  out.value(JsonText{text});
}

}  // namespace

void write_members(JsonWriter& out, const HeldPlan& plan) {
  out.member("keyId", plan.key_id.to_string())
      .member("userId", plan.user_id)
      .member("requestsPerMinute", plan.requests_per_minute);
  out.name("limits").begin_array();
  for (const auto& limit : plan.limits) write(out, limit);
  out.end_array()
      .member("expiresAt", plan.expires_at)
      .member("status", to_string(plan.status))
      .member("issuedAt", UnixMillis{plan.issued_at.seconds * 1000});
  if (plan.left) out.member("remaining", plan.left->requests).member("resetSeconds", plan.left->reset_seconds);
  out.member("position", plan.position.to_string());
}

}  // namespace latchkey::service
