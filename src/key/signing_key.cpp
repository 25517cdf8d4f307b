#include "key/signing_key.hpp"

#include <algorithm>

namespace latchkey {
namespace {

constexpr std::array<std::string_view, 3> names = {"signing", "verifying", "retired"};

}  // namespace

std::string_view to_string(SigningKeyState state) { return names[static_cast<std::size_t>(state)]; }

std::optional<SigningKeyState> parse_signing_key_state(std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<SigningKeyState>(found - names.begin());
}

}  // namespace latchkey
