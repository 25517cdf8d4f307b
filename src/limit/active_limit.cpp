#include "limit/active_limit.hpp"

#include <variant>

namespace latchkey::limit {

std::optional<ActiveLimit> active_limit(const LimitSpec& spec, std::string_view defined_by) {
  ActiveLimit limit;
  limit.requests = spec.requests;
  limit.per_user = spec.per == LimitPer::user;
  limit.observe = spec.mode == LimitMode::observe;
  limit.counter = limit.per_user ? counter_of_user(defined_by, spec) : counter_of_key(spec);
  if (const auto* window = std::get_if<LimitWindow>(&spec.span)) {
    limit.window_seconds = window->seconds;
    return limit;
  }
  const auto& period = std::get<LimitPeriod>(spec.span);
  limit.window_seconds = 0;
  limit.calendar = calendar_of(period.unit, period.time_zone, period.anchor_day);
  if (limit.calendar == nullptr) return std::nullopt;
  return limit;
}

}  // namespace latchkey::limit
