#include "access/limits_in_force.hpp"

#include <algorithm>
#include <array>

namespace latchkey::access {
namespace {

using limit::ActiveLimit;
using view::PreparedLimit;
using view::PreparedLimits;

/// Rows that are deleted are there for their versions only.
template <class Row>
const Row* live(const Row* row) {
  return row == nullptr || row->deleted ? nullptr : row;
}

bool names(const PreparedLimits* limits, std::string_view name) {
  return limits != nullptr && std::any_of(limits->begin(), limits->end(),
                                          [&](const PreparedLimit& limit) { return limit.spec.name == name; });
}

bool names_a_plan(const view::TermsInForce& terms, const User* user) {
  return (terms.own != nullptr && terms.own->plan) || (user != nullptr && user->plan);
}

/// Of what is in force: of two rows the newer one counts, deleted ones too.
struct Versions {
  Versions(const view::KeyRow& row, const view::TermsInForce& terms) {
    if (terms.user != nullptr) of_user = terms.user->version;
    of_plan = terms.plan == nullptr ? of_user : std::max(of_user, terms.plan->version);
    of_key = std::max(of_plan, row.version());
  }
  Version of_user, of_plan, of_key;
};

ActiveLimit as_of(ActiveLimit active, Version version) {
  active.version = version;
  return active;
}

ActiveLimit plain(std::uint32_t requests, Version version) { return as_of({.requests = requests}, version); }

/// take(limit, version of what defines it) for each limit in force but the shorthand, the plan's first.
template <class Take>
void each_listed(const view::KeyRow& row, const view::TermsInForce& terms, const Versions& versions, Take&& take) {
  const view::UserRow* user = live(terms.user);
  const view::PlanRow* plan = live(terms.plan);
  const PreparedLimits* own = terms.own != nullptr ? &terms.own->prepared : nullptr;
  const PreparedLimits* users = user != nullptr ? &user->prepared : nullptr;
  const bool shorthand = row.requests_per_minute() != 0;
  if (!shorthand && terms.own != nullptr && terms.own->are_no_limits()) return;
  const auto own_has = [&](std::string_view name) {
    return (shorthand && name == per_minute_name) || names(own, name);
  };
  const auto version_of = [&](const PreparedLimit& limit, Version definer) {
    return limit.active.per_user ? definer : versions.of_key;
  };
  if (plan != nullptr) {
    for (const auto& limit : plan->prepared) {
      const std::string_view name = limit.spec.name;
      if (!own_has(name) && !names(users, name)) take(limit, version_of(limit, versions.of_plan));
    }
  }
  if (users != nullptr) {
    for (const auto& limit : *users) {
      if (!own_has(limit.spec.name)) take(limit, version_of(limit, versions.of_user));
    }
  }
  if (own != nullptr) {
    for (const auto& limit : *own) take(limit, versions.of_key);
  }
}

/// A limit that a number of requests per minute says.
bool is_plain(const ActiveLimit& active) {
  return active.counter == limit::per_minute_counter && !active.per_user && !active.observe &&
         active.requests <= max_requests_per_minute;
}

/// A digest costs more than all else that a request's limits need, and the same users come again.
limit::OwnerId owner_of(const view::KeyRow& row) {
  struct Known {
    std::uint8_t size = 0;  // 0: nobody
    char user_id[max_user_id_bytes];
    limit::OwnerId owner;
  };
  thread_local std::array<Known, 64> latest;
  const std::string_view user_id = row.user_id();
  Known& known = latest[row.user_tag() % latest.size()];
  if (known.size == user_id.size() && std::memcmp(known.user_id, user_id.data(), known.size) == 0 && known.size != 0) {
    return known.owner;
  }
  known.size = static_cast<std::uint8_t>(user_id.size());
  std::memcpy(known.user_id, user_id.data(), user_id.size());
  known.owner = limit::owner_of_user(user_id);
  return known.owner;
}

bool any_per_user(const LimitsInForce& limits) {
  for (std::size_t i = 0; i < limits.size(); ++i) {
    if (limits[i].per_user) return true;
  }
  return false;
}

}  // namespace

bool LimitsInForce::put(std::string_view name, const ActiveLimit& active) {
  if (active_.size() == max_limits) return false;
  std::size_t at = active_.size();
  while (active.calendar == nullptr && at > 0 && active_[at - 1].calendar != nullptr) --at;
  active_.insert(active_.begin() + static_cast<std::ptrdiff_t>(at), active);
  Name& copy = *names_.insert(names_.begin() + static_cast<std::ptrdiff_t>(at), Name());
  copy.size = static_cast<std::uint8_t>(std::min(name.size(), sizeof copy.text));
  std::memcpy(copy.text, name.data(), copy.size);
  return true;
}

LimitsInForce LimitsInForce::per_minute(std::uint32_t requests, Version version) {
  LimitsInForce limits;
  limits.put(per_minute_name, plain(requests, version));
  return limits;
}

limit::Charge LimitsInForce::charge(const KeyId& key, std::uint32_t cost, Epoch epoch) {
  for (auto& active : active_) active.epoch = epoch;
  return {.key = key, .user = user_, .limits = {active_.data(), active_.size()}, .cost = cost};
}

Bounds bounds_of(const view::KeyRow& row, const view::TermsInForce& terms, LimitsInForce& limits) {
  const Versions versions(row, terms);
  Bounds bounds{.version = versions.of_key};
  bool unknown_zone = false, fits = true;
  each_listed(row, terms, versions, [&](const PreparedLimit& limit, Version version) {
    if (limit.zone_is_known) {
      fits = limits.put(limit.spec.name, as_of(limit.active, version)) && fits;
    } else {
      unknown_zone = unknown_zone || limit.spec.mode == LimitMode::enforce;
    }
  });
  if (const auto number = row.requests_per_minute(); number != 0) {
    fits = limits.put(per_minute_name, plain(number, versions.of_key)) && fits;
  }
  const bool none_needed = terms.own != nullptr && terms.own->are_no_limits();
  if (live(terms.plan) == nullptr && names_a_plan(terms, live(terms.user))) {
    bounds.bound = Bound::none;
  } else if (unknown_zone || !fits) {
    bounds.bound = unknown_zone ? Bound::unknown_zone : Bound::too_many;
  } else if (limits.empty()) {
    bounds.bound = none_needed ? Bound::unlimited : Bound::none;
  } else if (limits.size() == 1 && is_plain(limits[0])) {
    bounds.requests_per_minute = limits[0].requests;
  } else {
    bounds.bound = Bound::listed;
    if (any_per_user(limits)) {
      limits.set_user(terms.user != nullptr ? terms.user->owner : owner_of(row));
    }
  }
  return bounds;
}

std::vector<ShownLimit> limits_to_show(const view::KeyRow& row, const view::TermsInForce& terms) {
  const Versions versions(row, terms);
  std::vector<ShownLimit> limits;
  each_listed(row, terms, versions, [&](const PreparedLimit& limit, Version version) {
    if (limit.zone_is_known) limits.push_back({limit.spec, as_of(limit.active, version)});
  });
  if (const auto number = row.requests_per_minute(); number != 0) {
    limits.push_back({per_minute_limit(number), plain(number, versions.of_key)});
  }
  std::stable_partition(limits.begin(), limits.end(),
                        [](const ShownLimit& limit) { return limit.active.calendar == nullptr; });
  if (limits.size() > max_limits) limits.resize(max_limits);
  return limits;
}

}  // namespace latchkey::access
