#pragma once

// Reads of plans and users that more than one connection makes, as in store/sqlite/queries.hpp.

#include <optional>
#include <vector>

#include "store/key_store.hpp"
#include "store/sqlite/database.hpp"

namespace latchkey::store {

Result<std::optional<Plan>> find_plan(Database& database, std::string_view name);
Result<std::optional<User>> find_user(Database& database, std::string_view user_id);
Result<PlanPage> list_plans(Database& database, const NamePageRequest& request);
Result<UserPage> list_users(Database& database, const NamePageRequest& request);
Result<PlanUses> plan_uses(Database& database, std::string_view name);
Result<bool> has_keys(Database& database, std::string_view user_id);
Result<std::vector<KeyId>> keys_without_limit(Database& database, const TermsScope& scope, std::size_t most);
Result<std::vector<KeyId>> keys_past_limits(Database& database, const TermsScope& scope, std::size_t most);

}  // namespace latchkey::store
