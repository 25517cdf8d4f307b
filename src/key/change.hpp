#pragma once

#include <string>
#include <variant>

#include "key/access_key.hpp"
#include "key/plan.hpp"
#include "key/position.hpp"
#include "key/signing_key.hpp"
#include "key/user.hpp"

namespace latchkey {

/// One committed change: the full new row, where it stands in the log, and its author. Applying one is idempotent.
struct Change {
  Seq seq = {};
  UnixMillis at;
  std::string actor;  // as AccessKey::updated_by; "unknown" when a row was changed by hand outside the program
  /// "create", "update", "disable", "enable", "rotate", "delete"; for a signing key "signing-key", for a plan "plan-create"
  /// and the like, for a user "user-disable" and the like.
  std::string action;
  std::variant<AccessKey, SigningKey, Plan, User> row;
  /// Drawn anew for each change: where two histories of one epoch have the same seq (a restored backup that grew
  /// again), it tells them apart.
  Nonce nonce = {};
  bool operator==(const Change&) const = default;
};

/// The last change that somebody knows of a log. Positions say where, the nonce says which: one equal nonce vouches for
/// everything before it.
struct LogEnd {
  Position position;
  Nonce nonce = {};  // of the change at `position`; 0 at seq 0
  bool operator==(const LogEnd&) const = default;
};

}  // namespace latchkey
