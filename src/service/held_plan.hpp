#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/json_writer.hpp"
#include "key/access_key.hpp"
#include "key/limit_spec.hpp"
#include "key/position.hpp"

namespace latchkey::service {

/// What GET /v1/plan of either service tells a key's holder.
struct HeldPlan {
  /// What the limit still admits; known to the service that enforces it.
  struct Left {
    std::uint32_t requests;
    std::uint32_t reset_seconds;
  };
  KeyId key_id;
  std::string_view user_id;
  std::optional<std::uint32_t> requests_per_minute;  // nullopt: no such limit is in force
  std::optional<UnixMillis> expires_at;
  KeyStatus status;
  IssueTime issued_at;
  std::optional<Left> left{};  // of requests_per_minute
  /// All in force, windows first; empty: the key needs none. `left`: as above.
  struct Limit {
    LimitSpec spec;
    std::optional<Left> left{};
  };
  std::vector<Limit> limits{};
  Position position;
};

/// "keyId","userId","requestsPerMinute","limits","expiresAt","status","issuedAt"[,"remaining","resetSeconds"],"position",
/// into an object that is open. A limit is as in a plan, with what is left of it where that is known.
void write_members(JsonWriter& out, const HeldPlan& plan);

}  // namespace latchkey::service
