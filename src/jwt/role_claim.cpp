#include "jwt/role_claim.hpp"

#include <algorithm>

#include "base/shown.hpp"

namespace latchkey::jwt {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::optional<AdminRole> parse_admin_role(std::string_view text) {
  if (text == "admin") return AdminRole::admin;
  if (text == "viewer") return AdminRole::viewer;
  return std::nullopt;
}

Result<void> add_role(RoleMap& roles, std::string_view part) {
  const auto equals = part.rfind('=');  // a value may have one itself
  const auto value = trimmed(part.substr(0, equals));
  const auto role =
      equals == std::string_view::npos ? std::nullopt : parse_admin_role(trimmed(part.substr(equals + 1)));
  if (!role || value.empty()) {
    return Error(ErrorCode::invalid, shown(part) + " is not VALUE=admin or VALUE=viewer");
  }
  if (!roles.emplace(value, *role).second) return Error(ErrorCode::invalid, shown(value) + " is given twice");
  return {};
}

// The value at `path`: of "a.b.c" first the member "a.b.c", then "c" in "a.b", then "b.c" in "a".
const json::value* find(const json::object& object, std::string_view path) {
  for (std::size_t end = path.size(); end != std::string_view::npos && end > 0; end = path.rfind('.', end - 1)) {
    const auto* member = object.if_contains(path.substr(0, end));
    if (!member || end == path.size()) {
      if (member) return member;
      continue;
    }
    if (const auto* inner = member->if_object()) return find(*inner, path.substr(end + 1));
  }
  return nullptr;
}

}  // namespace

Result<RoleMap> parse_role_map(std::string_view text) {
  RoleMap roles;
  for (;;) {
    const auto comma = text.find(',');
    if (auto added = add_role(roles, text.substr(0, comma)); !added) return added.error();
    if (comma == std::string_view::npos) return roles;
    text.remove_prefix(comma + 1);
  }
}

std::optional<AdminRole> RoleClaim::role_in(const json::object& claims) const {
  std::optional<AdminRole> highest;
  const auto take = [&](const json::value& value) {
    const auto* text = value.if_string();
    const auto found = text ? roles_.find(std::string_view(text->data(), text->size())) : roles_.end();
    if (found != roles_.end()) highest = std::max(highest.value_or(found->second), found->second);
  };
  const auto* value = find(claims, path_);
  if (!value) return std::nullopt;
  if (const auto* list = value->if_array()) {
    for (const auto& each : *list) take(each);
  } else {
    take(*value);
  }
  return highest;
}

}  // namespace latchkey::jwt
