#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"

namespace latchkey::cli {

/// A route that takes `expiresIn` gets a duration as it is; one that does not gets the time it amounts to.
enum class DurationAs : std::uint8_t { duration, time };

/// --expires as API members: "never" is `expiresAt: null` (nothing at creation, where it is the default).
/// ErrorCode::invalid for what is neither "never", a duration nor an RFC 3339 time.
Result<void> add_expiry(json::object& body, std::string_view text, UnixMillis now, DurationAs duration_as);

}  // namespace latchkey::cli
