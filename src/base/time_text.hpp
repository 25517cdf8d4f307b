#pragma once

// Times and durations as text, as they appear in the API, the CLI and the configuration.

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace latchkey {

/// RFC 3339 in UTC with milliseconds: "2026-01-31T12:00:00.000Z".
std::string to_rfc3339(UnixMillis time);

/// Parses an RFC 3339 date-time with any offset and any number of fraction digits (cut to milliseconds).
/// Years 1970 to 9999; nullopt for anything else, impossible dates included. A leap second (:60) is refused.
std::optional<UnixMillis> parse_rfc3339(std::string_view text);

constexpr std::chrono::seconds longest_duration{std::int64_t{100} * 366 * 86'400};

/// "90s", "15m", "12h", "30d": a positive whole number and one unit, at most longest_duration. nullopt for anything
/// else.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

/// What is said of a text that is none, or longer than what is allowed: `"9y" is not a duration from 1s to 36600d, such
/// as 30s or 5m`.
std::string not_a_duration(std::string_view text, std::chrono::seconds longest = longest_duration);

}  // namespace latchkey
