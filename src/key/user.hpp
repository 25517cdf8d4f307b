#pragma once

// A user as an admin has made one: what holds for all keys of that user id. Most user ids have no such row.

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "key/limit_spec.hpp"
#include "key/position.hpp"

namespace latchkey {

/// One user's full row, as the store keeps it and as a change carries it.
struct User {
  std::string user_id;              // by the rule of AccessKey::user_id
  std::optional<std::string> plan;  // of all keys of the user that name none themselves
  LimitList limits;
  bool disabled = false;        // refuses all keys of the user; their own status is not touched
  std::string metadata = "{}";  // a JSON object, serialised, at most 4,096 bytes
  bool deleted = false;         // the row stays, so that its versions go on when the user is made again
  UnixMillis created_at;
  UnixMillis updated_at;
  std::string updated_by;  // the actor of the last change
  Version version;         // seq of the change that made this row so; 0 before it is stored. Serves as the ETag

  bool operator==(const User&) const = default;
};

}  // namespace latchkey
