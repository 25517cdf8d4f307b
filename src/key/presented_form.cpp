#include "key/presented_form.hpp"

#include <algorithm>

namespace latchkey {
namespace {

constexpr std::string_view beginning = "eyJ";  // of `{"`, as every JWS compact begins

bool is_prefix_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

}  // namespace

bool is_key_prefix(std::string_view text) {
  return !text.empty() && text.size() <= max_key_prefix_bytes &&
         std::all_of(text.begin(), text.end(), is_prefix_character);
}

std::string_view without_prefix(std::string_view presented) {
  if (presented.starts_with(beginning)) return presented;
  const auto at = presented.substr(0, max_key_prefix_bytes + beginning.size()).find(beginning);
  if (at == std::string_view::npos || !is_key_prefix(presented.substr(0, at))) return presented;
  return presented.substr(at);
}

bool begins_like_access_key(std::string_view text) {
  return without_prefix(text).starts_with("eyJhbGciOi");  // {"alg":
}

}  // namespace latchkey
