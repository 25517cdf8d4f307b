#include "access/bound.hpp"

#include <algorithm>

namespace latchkey::access {
namespace {

/// Rows that are deleted are there for their versions only.
template <class Row>
const Row* live(const Row* row) {
  return row == nullptr || row->deleted ? nullptr : row;
}

bool names(const LimitList* limits, std::string_view name) {
  return limits != nullptr &&
         std::any_of(limits->begin(), limits->end(), [&](const LimitSpec& limit) { return limit.name == name; });
}

class Collected {
 public:
  void take(std::uint32_t requests_per_minute) {
    per_minute_ = requests_per_minute;
    any_ = true;
  }
  void take(const LimitSpec& limit) {
    const auto number = as_requests_per_minute(limit);
    number ? take(*number) : take_other();
  }
  Bound bound(bool may_go_without) const {
    if (other_) return Bound::unsupported;
    if (any_) return Bound::per_minute;
    return may_go_without ? Bound::unlimited : Bound::none;
  }
  std::uint32_t per_minute() const { return per_minute_; }

 private:
  void take_other() { any_ = other_ = true; }
  std::uint32_t per_minute_ = 0;
  bool any_ = false, other_ = false;
};

bool names_a_plan(const view::TermsInForce& terms, const User* user) {
  return (terms.own != nullptr && terms.own->plan) || (user != nullptr && user->plan);
}

}  // namespace

Bounds bounds_of(const view::KeyRow& row, const view::TermsInForce& terms) {
  const User* user = live(terms.user);
  const Plan* plan = live(terms.plan);
  const LimitList* own = terms.own != nullptr && terms.own->limits ? &*terms.own->limits : nullptr;
  const LimitList* users = user != nullptr ? &user->limits : nullptr;
  const bool shorthand = row.requests_per_minute() != 0;
  const auto own_has = [&](std::string_view name) {
    return (shorthand && name == per_minute_name) || names(own, name);
  };
  Collected limits;
  if (plan != nullptr) {
    for (const auto& limit : plan->limits) {
      if (!own_has(limit.name) && !names(users, limit.name)) limits.take(limit);
    }
  }
  if (users != nullptr) {
    for (const auto& limit : *users) {
      if (!own_has(limit.name)) limits.take(limit);
    }
  }
  if (own != nullptr) {
    for (const auto& limit : *own) limits.take(limit);
  }
  if (shorthand) limits.take(row.requests_per_minute());
  Bounds bounds{limits.bound(!shorthand && own != nullptr && own->empty()), limits.per_minute(), row.version()};
  if (plan == nullptr && names_a_plan(terms, user)) bounds.bound = Bound::none;
  if (terms.user != nullptr) bounds.version = std::max(bounds.version, terms.user->version);
  if (terms.plan != nullptr) bounds.version = std::max(bounds.version, terms.plan->version);
  return bounds;
}

}  // namespace latchkey::access
