#pragma once

// Where a provider says what an admin may do, and in which words.
//
// Keycloak, for example, sends {"realm_access":{"roles":["offline_access","net-admins"]}}. With the claim
// `realm_access.roles` and the roles `net-admins=admin,auditors=viewer` that is an admin.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/json.hpp"

namespace latchkey::jwt {

enum class AdminRole : std::uint8_t { viewer, admin };

/// What a value of the claim gives: "net-admins" → admin.
using RoleMap = std::map<std::string, AdminRole, std::less<>>;
/// Of "net-admins=admin,auditors=viewer"; blanks around a value do not count. An error names the part that is wrong.
Result<RoleMap> parse_role_map(std::string_view text);

class RoleClaim {
 public:
  /// The claim `role` with the values `admin` and `viewer`.
  RoleClaim() : path_("role"), roles_{{"admin", AdminRole::admin}, {"viewer", AdminRole::viewer}} {}
  /// `path`: members from the outside in, joined by dots. A name that has dots itself, `https://example.com/roles`, is
  /// found too: at each level the longest name that is there is taken.
  RoleClaim(std::string path, RoleMap roles) : path_(std::move(path)), roles_(std::move(roles)) {}

  /// The highest role that the claim's string, or the strings of its list, give.
  std::optional<AdminRole> role_in(const json::object& claims) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  RoleMap roles_;
};

}  // namespace latchkey::jwt
