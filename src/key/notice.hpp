#pragma once

// What somebody should hear of a key or user: it expires soon, it was disabled. Notices stand in the store in the order in
// which they were made; each is read by GET /v1/notices and sent to the targets that the configuration names.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "key/key_id.hpp"

namespace latchkey {

struct Notice {
  std::uint64_t id = 0;  // ascending from 1, without a gap but where old ones were removed; 0: not stored yet
  /// "key.expires-in-30-days", "key.expires-in-7-days", "key.expires-in-1-day", "key.expired", "key.disabled",
  /// "key.rotated", "user.disabled".
  std::string kind;
  UnixMillis at;                // when what it tells came about
  std::optional<KeyId> key_id;  // nullopt: of a user
  std::string user_id;
  /// The expiry in milliseconds, or the seq of the change: with kind, key and user, there is one notice of it.
  std::int64_t about = 0;
  bool operator==(const Notice&) const = default;
};

/// After this long a notice may be removed.
constexpr std::int64_t notice_lifetime_ms = std::int64_t{90} * 24 * 60 * 60 * 1000;

/// A key that is neither deleted nor disabled, and when it expires.
struct ExpiringKey {
  KeyId id;
  std::string user_id;
  UnixMillis expires_at;
};

}  // namespace latchkey
