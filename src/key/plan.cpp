#include "key/plan.hpp"

#include "base/control_characters.hpp"

namespace latchkey {

Result<void> check_plan_name(std::string_view name) {
  if (!is_plain_name(name)) return Error::invalid("/plan", "must be 1 to 32 characters of a-z, 0-9 and -");
  return {};
}

Result<void> check_description(std::string_view description) {
  if (description.size() > max_description_bytes) {
    return Error::invalid("/description", "must be at most 512 bytes of UTF-8");
  }
  if (has_control_character(description)) {
    return Error::invalid("/description", "must not contain control characters");
  }
  return {};
}

}  // namespace latchkey
