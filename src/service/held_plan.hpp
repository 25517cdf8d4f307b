#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/json_writer.hpp"
#include "key/access_key.hpp"
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
  std::optional<Left> left{};
  Position position;
};

/// "keyId","userId","requestsPerMinute","expiresAt","status","issuedAt"[,"remaining","resetSeconds"],"position",
/// into an object that is open.
void write_members(JsonWriter& out, const HeldPlan& plan);

}  // namespace latchkey::service
