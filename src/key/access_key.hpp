#pragma once

// What an access key is, with no database in sight: its limits, its row, and what follows from them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "key/key_id.hpp"
#include "key/labels.hpp"
#include "key/limit_spec.hpp"
#include "key/networks.hpp"
#include "key/position.hpp"
#include "key/scopes.hpp"

namespace latchkey {

/// Seconds since 1970: the `iat` of a token. Identifies, with the user id, which issue of a key a token is.
struct IssueTime {
  std::int64_t seconds = 0;
  auto operator<=>(const IssueTime&) const = default;
};

enum class Role : std::uint8_t { user };
std::string_view to_string(Role role);

/// Derived from the row and the time, in this order of precedence: deleted, disabled, expired, active.
enum class KeyStatus : std::uint8_t { active, disabled, expired, deleted };
std::string_view to_string(KeyStatus status);
std::optional<KeyStatus> parse_key_status(std::string_view text);

constexpr std::uint32_t min_requests_per_minute = 1;
constexpr std::uint32_t max_requests_per_minute = 1'000'000;
constexpr std::size_t max_user_id_bytes = 128;
constexpr std::size_t max_name_bytes = 128;
constexpr std::size_t max_metadata_bytes = 4096;
constexpr std::chrono::seconds max_grace_period = std::chrono::hours(24 * 30);

/// The issue before the last rotation, valid until the grace ends.
struct PreviousIssue {
  IssueTime issued_at;
  UnixMillis valid_until;
  bool operator==(const PreviousIssue&) const = default;
};

/// One access key's full row, as the store keeps it and as a change carries it. The token itself is never stored.
struct AccessKey {
  KeyId id;
  std::string user_id;  // UTF-8, 1 to 128 bytes, no control characters; of new rows more: commands/user_id.hpp
  Role role = Role::user;
  std::string name;             // UTF-8, at most 128 bytes, may be empty
  std::string metadata = "{}";  // a JSON object, serialised, at most 4,096 bytes
  /// Short for the own limit "per-minute" of 60 s; nullopt: none of that name, or it is among `limits`.
  std::optional<std::uint32_t> requests_per_minute = min_requests_per_minute;
  std::optional<std::string> plan;  // nullopt: the user's, if any
  /// The key's own limits besides requests_per_minute; nullopt: none. Empty, without requests_per_minute: it needs none
  /// (key/in_force.hpp).
  std::optional<LimitList> limits;
  std::optional<ScopeList> scopes;      // nullopt: those of the plan, if it has any; empty: none
  std::optional<NetworkList> networks;  // likewise
  Labels labels;
  IssueTime issued_at;
  std::optional<PreviousIssue> previous;
  std::optional<UnixMillis> expires_at;  // nullopt: never
  bool disabled = false;
  bool deleted = false;  // final
  UnixMillis created_at;
  UnixMillis updated_at;
  std::string updated_by;  // the actor of the last change: an admin's `sub`, or "key:<key id>" for its holder
  Version version;         // seq of the change that made this row so; 0 before it is stored. Serves as the ETag

  bool operator==(const AccessKey&) const = default;
};

KeyStatus status_of(const AccessKey& key, UnixMillis now);

/// Whether the row says from where or for what the key may be used.
inline bool has_access_rules(const AccessKey& key) { return key.scopes.has_value() || key.networks.has_value(); }

/// Whether the row says more than a number of requests per minute: a plan, other limits or none, scopes, networks.
inline bool has_terms(const AccessKey& key) {
  return !key.requests_per_minute || key.plan.has_value() || key.limits.has_value() || has_access_rules(key);
}

/// Rules for one member each; the error's pointer is the API's member name.
Result<void> check_user_id(std::string_view user_id);
Result<void> check_requests_per_minute(std::int64_t requests_per_minute);
Result<void> check_name(std::string_view name);
Result<void> check_metadata(std::string_view serialised_object);
Result<void> check_expires_at(UnixMillis expires_at, UnixMillis now);

}  // namespace latchkey
