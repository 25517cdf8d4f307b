#pragma once

// Which limits hold for a key: those of its plan, then its user's, then its own, each replacing what has its name.
//
// Example: plan "pro" has per-minute 60 and daily 5,000; the user has daily 20,000; the key has per-minute 5. In force:
// per-minute 5 (the key's), daily 20,000 (the user's).
//
// A key with an empty list of its own, `"limits": []`, is unlimited, whatever its plan and its user have.
//
// Lists of scopes and networks are not put together: the key's stands in place of its plan's.

#include <vector>

#include "key/access_key.hpp"
#include "key/plan.hpp"
#include "key/user.hpp"

namespace latchkey {

enum class DefinedBy : std::uint8_t { plan, user, key };

struct LimitInForce {
  LimitSpec limit;
  DefinedBy by = DefinedBy::key;
  bool operator==(const LimitInForce&) const = default;
};

/// The key's own: the shorthand first, then the others. nullopt: it says nothing of limits; empty: it needs none.
std::optional<LimitList> own_limits(const AccessKey& key);
/// The other way round: the shorthand is taken out of the list where the list has it.
void set_own_limits(AccessKey& key, std::optional<LimitList> limits);

/// The name of the plan that holds: the key's, else its user's. `user`: null where there is no such row, or it is
/// deleted.
const std::string* plan_of(const AccessKey& key, const User* user);
/// `plan`: that of plan_of(); null where there is none.
std::vector<LimitInForce> limits_in_force(const AccessKey& key, const User* user, const Plan* plan);
/// The key's list, else the plan's; null: every scope, and everywhere. `plan` as above.
const ScopeList* scopes_in_force(const AccessKey& key, const Plan* plan);
const NetworkList* networks_in_force(const AccessKey& key, const Plan* plan);
/// The key says itself that it needs none. Any other with no limit in force is refused.
bool may_go_without(const AccessKey& key);

}  // namespace latchkey
