#pragma once

// Reads of plans and users that more than one connection makes, as in store/postgres/queries.hpp.

#include <optional>
#include <vector>

#include "store/key_store.hpp"
#include "store/postgres/connection.hpp"

namespace latchkey::store::postgres {

Result<std::optional<Plan>> find_plan(Connection& connection, std::string_view name);
Result<std::optional<User>> find_user(Connection& connection, std::string_view user_id);
Result<PlanPage> list_plans(Connection& connection, const NamePageRequest& request);
Result<UserPage> list_users(Connection& connection, const NamePageRequest& request);
Result<PlanUses> plan_uses(Connection& connection, std::string_view name);
Result<bool> has_keys(Connection& connection, std::string_view user_id);
Result<std::vector<KeyId>> keys_without_limit(Connection& connection, const TermsScope& scope, std::size_t most);
Result<std::vector<KeyId>> keys_past_limits(Connection& connection, const TermsScope& scope, std::size_t most);

}  // namespace latchkey::store::postgres
