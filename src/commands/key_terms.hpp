#pragma once

// What is in force for a key, as one transaction sees it (key/in_force.hpp).

#include <optional>
#include <vector>

#include "key/in_force.hpp"
#include "store/key_store.hpp"

namespace latchkey::commands {

struct KeyTerms {
  std::optional<User> user;  // nullopt: no such row, or it is deleted
  std::optional<Plan> plan;  // likewise
  std::vector<LimitInForce> limits;
};

/// Any KeyStore or Transaction: both find plans and users.
template <class Rows>
Result<KeyTerms> terms_of(Rows& rows, const AccessKey& key) {
  KeyTerms terms;
  auto user = rows.find_user(key.user_id);
  if (!user) return user.error();
  if (*user && !(*user)->deleted) terms.user = std::move(**user);
  const User* of = terms.user ? &*terms.user : nullptr;
  if (const std::string* name = plan_of(key, of)) {
    auto plan = rows.find_plan(*name);
    if (!plan) return plan.error();
    if (*plan && !(*plan)->deleted) terms.plan = std::move(**plan);
  }
  terms.limits = limits_in_force(key, of, terms.plan ? &*terms.plan : nullptr);
  return terms;
}

/// ErrorCode::invalid: at /plan where there is none of that name, at /requestsPerMinute where no limit would be in
/// force, at /limits where too many would.
Result<void> check_key_terms(store::Transaction& transaction, const AccessKey& key);

}  // namespace latchkey::commands
