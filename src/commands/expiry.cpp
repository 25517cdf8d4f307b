#include "commands/expiry.hpp"

namespace latchkey::commands {

Result<std::optional<UnixMillis>> resolve(const Expiry& expiry, UnixMillis now) {
  if (std::holds_alternative<Never>(expiry)) return std::optional<UnixMillis>();
  if (const auto* after = std::get_if<std::chrono::seconds>(&expiry)) {
    const UnixMillis at = now + *after;
    const auto checked = check_expires_at(at, now);
    if (!checked) return Error::invalid("/expiresIn", checked.error().detail);
    return std::optional(at);
  }
  const UnixMillis at = std::get<UnixMillis>(expiry);
  if (const auto checked = check_expires_at(at, now); !checked) return checked.error();
  return std::optional(at);
}

}  // namespace latchkey::commands
