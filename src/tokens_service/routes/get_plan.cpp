#include "service/held_plan.hpp"
#include "tokens_service/holder_requests.hpp"

namespace latchkey::tokens_service::routes {
namespace {

using service::HeldPlan;

/// As the view has them now.
std::vector<access::ShownLimit> limits_of(const view::View& view, const KeyId& id) {
  const view::View::Reader reader(view);
  const view::KeyRow* row = reader.find(id);
  if (row == nullptr) return {};  // between two lives of the view
  return access::limits_to_show(*row, reader.terms_of(*row));
}

/// What is left of each; of none where this replica's limiter does not know them all.
std::vector<HeldPlan::Limit> with_what_is_left(std::vector<access::ShownLimit> shown, const access::Holder& holder,
                                               Epoch epoch, limit::RateLimiter& limiter) {
  access::LimitsInForce limits;
  for (const auto& limit : shown) limits.put(limit.spec.name, limit.active);
  limits.set_user(limit::owner_of_user(holder.user_id()));
  const auto verdict = limiter.look(limits.charge(holder.key_id, 0, epoch));
  std::vector<HeldPlan::Limit> held;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    std::optional<HeldPlan::Left> left;
    if (verdict.admitted()) left = {verdict.standings[i].remaining, verdict.standings[i].reset_seconds};
    held.push_back({std::move(shown[i].spec), left});
  }
  return held;
}

}  // namespace

void get_plan(HolderRequests& requests, Call& call, const access::Holder& holder, HeaderLines& lines) {
  const Parts& parts = requests.parts();
  HeldPlan plan{.key_id = holder.key_id,
                .user_id = holder.user_id(),
                .requests_per_minute = std::nullopt,
                .expires_at = holder.expires_at,
                .status = KeyStatus::active,
                .issued_at = holder.issued_at,
                .position = call.position};
  plan.limits = with_what_is_left(limits_of(parts.view, holder.key_id), holder, call.position.epoch, parts.limiter);
  for (const auto& limit : plan.limits) {
    if (const auto number = as_requests_per_minute(limit.spec))
      plan.requests_per_minute = number, plan.left = limit.left;
  }
  JsonWriter out;
  service::write_members(out.begin_object(), plan);
  const std::string body = out.end_object().take();
  requests.answer(call, holder, {200, "application/json", lines.text(), body});
}

}  // namespace latchkey::tokens_service::routes
