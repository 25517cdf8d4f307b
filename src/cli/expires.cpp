#include "cli/expires.hpp"

#include <fmt/format.h>

#include "base/time_text.hpp"

namespace latchkey::cli {

Result<void> add_expiry(json::object& body, std::string_view text, UnixMillis now, DurationAs duration_as) {
  if (text == "never") {
    if (duration_as == DurationAs::time) body["expiresAt"] = nullptr;
    return {};
  }
  if (const auto duration = parse_duration(text)) {
    if (duration_as == DurationAs::duration) {
      body["expiresIn"] = json::string_view(text);
    } else {
      body["expiresAt"] = to_rfc3339({now.count + std::chrono::milliseconds(*duration).count()});
    }
    return {};
  }
  if (!parse_rfc3339(text)) {
    return Error(ErrorCode::invalid,
                 fmt::format("--expires: {}; nor a time (2027-01-31T12:00:00Z), nor \"never\"", not_a_duration(text)));
  }
  body["expiresAt"] = json::string_view(text);
  return {};
}

}  // namespace latchkey::cli
