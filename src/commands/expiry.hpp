#pragma once

#include <chrono>
#include <optional>
#include <variant>

#include "key/access_key.hpp"

namespace latchkey::commands {

struct Never {
  bool operator==(const Never&) const = default;
};

/// When a key shall end, as a request says it: never, at a time, or after a while.
using Expiry = std::variant<Never, UnixMillis, std::chrono::seconds>;

/// The row's value. Errors: ErrorCode::invalid at /expiresAt or /expiresIn.
Result<std::optional<UnixMillis>> resolve(const Expiry& expiry, UnixMillis now);

}  // namespace latchkey::commands
