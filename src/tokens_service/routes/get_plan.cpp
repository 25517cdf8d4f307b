#include "service/held_plan.hpp"
#include "tokens_service/holder_requests.hpp"

namespace latchkey::tokens_service::routes {

void get_plan(HolderRequests& requests, Call& call, const access::Holder& holder, HeaderLines& lines) {
  std::optional<std::uint32_t> requests_per_minute;
  std::optional<service::HeldPlan::Left> left;
  if (holder.bound == access::Bound::per_minute) {
    const auto allowance = requests.parts().limiter.peek(holder.key_id, limit_of(call, holder));
    requests_per_minute = holder.requests_per_minute;
    left = {allowance.remaining, allowance.reset_seconds};
  }
  JsonWriter out;
  service::write_members(out.begin_object(), {.key_id = holder.key_id,
                                              .user_id = holder.user_id(),
                                              .requests_per_minute = requests_per_minute,
                                              .expires_at = holder.expires_at,
                                              .status = KeyStatus::active,
                                              .issued_at = holder.issued_at,
                                              .left = left,
                                              .position = call.position});
  const std::string body = out.end_object().take();
  requests.answer(call, holder, {200, "application/json", lines.text(), body});
}

}  // namespace latchkey::tokens_service::routes
