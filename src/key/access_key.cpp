#include "key/access_key.hpp"

#include <algorithm>
#include <array>

#include "base/printable.hpp"

namespace latchkey {
namespace {

constexpr std::array<std::string_view, 4> status_names = {"active", "disabled", "expired", "deleted"};

}  // namespace

std::string_view to_string(Role) { return "user"; }

std::string_view to_string(KeyStatus status) { return status_names[static_cast<std::size_t>(status)]; }

std::optional<KeyStatus> parse_key_status(std::string_view text) {
  const auto found = std::find(status_names.begin(), status_names.end(), text);
  if (found == status_names.end()) return std::nullopt;
  return static_cast<KeyStatus>(found - status_names.begin());
}

KeyStatus status_of(const AccessKey& key, UnixMillis now) {
  if (key.deleted) return KeyStatus::deleted;
  if (key.disabled) return KeyStatus::disabled;
  if (key.expires_at && *key.expires_at <= now) return KeyStatus::expired;
  return KeyStatus::active;
}

Result<void> check_user_id(std::string_view user_id) {
  if (user_id.empty() || user_id.size() > max_user_id_bytes) {
    return Error::invalid("/userId", "must have 1 to 128 bytes");
  }
  if (!is_printable(user_id)) return Error::invalid("/userId", "must be UTF-8 without control characters");
  return {};
}

Result<void> check_requests_per_minute(std::int64_t requests_per_minute) {
  if (requests_per_minute < min_requests_per_minute || requests_per_minute > max_requests_per_minute) {
    return Error::invalid("/requestsPerMinute", "must be a whole number from 1 to 1000000");
  }
  return {};
}

Result<void> check_name(std::string_view name) {
  if (name.size() > max_name_bytes) return Error::invalid("/name", "must be at most 128 bytes of UTF-8");
  if (has_control_character(name)) return Error::invalid("/name", "must not contain control characters");
  return {};
}

Result<void> check_metadata(std::string_view serialised_object) {
  if (serialised_object.size() > max_metadata_bytes) {
    return Error::invalid("/metadata", "must be at most 4096 bytes as JSON");
  }
  return {};
}

Result<void> check_expires_at(UnixMillis expires_at, UnixMillis now) {
  if (expires_at <= now) return Error::invalid("/expiresAt", "must be in the future");
  constexpr UnixMillis year_9999{253'402'300'799'999};
  if (expires_at > year_9999) return Error::invalid("/expiresAt", "must be before the year 10000");
  return {};
}

}  // namespace latchkey
