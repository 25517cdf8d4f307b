#pragma once

// A plan: limits, scopes and networks under a name, which keys and users refer to. One change of it holds for all of them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "key/limit_spec.hpp"
#include "key/networks.hpp"
#include "key/position.hpp"
#include "key/scopes.hpp"

namespace latchkey {

constexpr std::size_t max_description_bytes = 512;

/// One plan's full row, as the store keeps it and as a change carries it.
struct Plan {
  std::string name;         // [a-z0-9-]{1,32}
  std::string description;  // UTF-8, at most 512 bytes, may be empty
  LimitList limits;
  std::string metadata = "{}";  // a JSON object, serialised, at most 4,096 bytes
  bool deleted = false;         // the row stays, so that its versions go on when the name is used again
  UnixMillis created_at;
  UnixMillis updated_at;
  std::string updated_by;  // the actor of the last change
  Version version;         // seq of the change that made this row so; 0 before it is stored. Serves as the ETag
  std::optional<ScopeList> scopes{};      // of all its keys that have no list themselves; nullopt: every scope
  std::optional<NetworkList> networks{};  // likewise; nullopt: everywhere

  bool operator==(const Plan&) const = default;
};

/// Whether the row says from where or for what its keys may be used.
inline bool has_access_rules(const Plan& plan) { return plan.scopes.has_value() || plan.networks.has_value(); }

/// Rules for one member each; the error's pointer is the API's member name.
Result<void> check_plan_name(std::string_view name);
Result<void> check_description(std::string_view description);

}  // namespace latchkey
