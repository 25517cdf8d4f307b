#pragma once

// A plan: limits under a name, which keys and users refer to. One change of it holds for all of them.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "key/limit_spec.hpp"
#include "key/position.hpp"

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

  bool operator==(const Plan&) const = default;
};

/// Rules for one member each; the error's pointer is the API's member name.
Result<void> check_plan_name(std::string_view name);
Result<void> check_description(std::string_view description);

}  // namespace latchkey
