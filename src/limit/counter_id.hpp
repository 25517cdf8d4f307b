#pragma once

// Which count a limit of a key is about.
//
//   per key    (key id, limit name, shape): the row that defines it plays no part, so a limit that moves from the key
//              to its plan keeps its count
//   per user   (user id, defining row, limit name, shape): all keys of the user share it; two plans with a `monthly`
//              are two budgets
//
// The shape is the window, or the period with time zone and anchor day. `requests` and `mode` are no part of it, so that
// changing them keeps the count. All of it but the owner is one number, made once for each row that defines limits; it is the
// same in every process and version, for counts outlive processes.

#include <cstdint>
#include <functional>
#include <string_view>

#include "key/key_id.hpp"
#include "key/limit_spec.hpp"

namespace latchkey::limit {

/// A key id, or the digest of a user id.
using OwnerId = KeyId;

struct CounterId {
  OwnerId owner;
  std::uint64_t limit = 0;
  bool operator==(const CounterId&) const = default;
};

/// The count that every key with `requestsPerMinute` has: per key, named `per-minute`, 60 s.
constexpr std::uint64_t per_minute_counter = 0;

/// Of a limit per key.
std::uint64_t counter_of_key(const LimitSpec& limit);
/// Of a limit per user; `defined_by` names the row: "plan:pro", "user:alice".
std::uint64_t counter_of_user(std::string_view defined_by, const LimitSpec& limit);

/// 128 bits of SHA-256, never equal to a key id's (another version of UUID).
OwnerId owner_of_user(std::string_view user_id);

}  // namespace latchkey::limit

template <>
struct std::hash<latchkey::limit::CounterId> {
  std::size_t operator()(const latchkey::limit::CounterId& id) const noexcept {
    return (id.owner.low_bits() ^ id.limit) * 0x9E3779B97F4A7C15ULL;
  }
};
