#pragma once

// Request bodies of plans and users, as commands; see keys_service/bodies.hpp.

#include <string_view>

#include "commands/plan.hpp"
#include "commands/user.hpp"
#include "keys_service/object_reader.hpp"

namespace latchkey::keys_service {

/// {plan?, limits?, metadata?}; null is the same as absent.
Result<commands::PutUser> parse_put_user_body(std::string_view body);
/// Any of {plan, limits, disabled, metadata}; null removes.
Result<commands::PatchUser> parse_patch_user_body(std::string_view body, commands::Metadata mode);
/// {description?, limits, scopes?, networks?, metadata?}; null is the same as absent.
Result<commands::PutPlan> parse_put_plan_body(std::string_view body);
/// Any of {description, limits, scopes, networks, metadata}; null removes.
Result<commands::PatchPlan> parse_patch_plan_body(std::string_view body, commands::Metadata mode);

/// The member `limits` where it is there and not null, with what is wrong in it noted.
std::optional<LimitList> read_limits_member(ObjectReader& reader);
/// The member `plan` likewise.
std::optional<std::string> read_plan_member(ObjectReader& reader);
/// The members `scopes` and `networks` likewise.
std::optional<ScopeList> read_scopes_member(ObjectReader& reader);
std::optional<NetworkList> read_networks_member(ObjectReader& reader);
bool is_null_member(ObjectReader& reader, std::string_view name);
/// What a PATCH says of a member that was read: nullopt: nothing; within: nullopt: null.
template <class Value>
std::optional<std::optional<Value>> patched(ObjectReader& reader, std::string_view name, std::optional<Value> value) {
  if (!value && !is_null_member(reader, name)) return std::nullopt;
  return std::optional<std::optional<Value>>(std::move(value));
}

}  // namespace latchkey::keys_service
