#include "key/in_force.hpp"

#include <algorithm>

namespace latchkey {
namespace {

void put(std::vector<LimitInForce>& limits, const LimitSpec& limit, DefinedBy by) {
  const auto found = std::find_if(limits.begin(), limits.end(),
                                  [&](const LimitInForce& other) { return other.limit.name == limit.name; });
  if (found == limits.end()) {
    limits.push_back({limit, by});
  } else {
    *found = {limit, by};
  }
}

}  // namespace

std::optional<LimitList> own_limits(const AccessKey& key) {
  if (!key.requests_per_minute) return key.limits;
  LimitList limits{per_minute_limit(*key.requests_per_minute)};
  if (key.limits) limits.insert(limits.end(), key.limits->begin(), key.limits->end());
  return limits;
}

void set_own_limits(AccessKey& key, std::optional<LimitList> limits) {
  key.requests_per_minute.reset();
  key.limits = std::move(limits);
  if (!key.limits) return;
  const auto shorthand = std::find_if(key.limits->begin(), key.limits->end(),
                                      [](const LimitSpec& limit) { return as_requests_per_minute(limit).has_value(); });
  if (shorthand == key.limits->end()) return;
  key.requests_per_minute = as_requests_per_minute(*shorthand);
  key.limits->erase(shorthand);
  if (key.limits->empty()) key.limits.reset();
}

const std::string* plan_of(const AccessKey& key, const User* user) {
  if (key.plan) return &*key.plan;
  return user != nullptr && user->plan ? &*user->plan : nullptr;
}

std::vector<LimitInForce> limits_in_force(const AccessKey& key, const User* user, const Plan* plan) {
  std::vector<LimitInForce> limits;
  if (may_go_without(key)) return limits;
  if (plan != nullptr) {
    for (const auto& limit : plan->limits) put(limits, limit, DefinedBy::plan);
  }
  if (user != nullptr) {
    for (const auto& limit : user->limits) put(limits, limit, DefinedBy::user);
  }
  for (const auto& limit : own_limits(key).value_or(LimitList{})) put(limits, limit, DefinedBy::key);
  return limits;
}

namespace {

template <class List>
const List* first_of(const std::optional<List>& own, const std::optional<List>* plans) {
  if (own) return &*own;
  return plans != nullptr && *plans ? &**plans : nullptr;
}

}  // namespace

const ScopeList* scopes_in_force(const AccessKey& key, const Plan* plan) {
  return first_of(key.scopes, plan == nullptr ? nullptr : &plan->scopes);
}

const NetworkList* networks_in_force(const AccessKey& key, const Plan* plan) {
  return first_of(key.networks, plan == nullptr ? nullptr : &plan->networks);
}

bool may_go_without(const AccessKey& key) { return !key.requests_per_minute && key.limits && key.limits->empty(); }

}  // namespace latchkey
