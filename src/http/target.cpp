#include "http/target.hpp"

#include <algorithm>

#include "http/ascii.hpp"

namespace latchkey::http {
namespace {

constexpr bool is_target_char(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet > 0x20 && octet < 0x7f && c != '#';
}

// Removes "http://authority" or "https://authority"; false where there is no authority.
bool drop_authority(std::string_view& rest) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equals_ignoring_case(rest.substr(0, scheme.size()), scheme)) continue;
    rest.remove_prefix(scheme.size());
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    rest.remove_prefix(end);
    return end > 0;
  }
  return false;
}

}  // namespace

bool split_target(Request& request) {
  std::string_view rest = request.target;
  if (rest.empty() || !std::all_of(rest.begin(), rest.end(), is_target_char)) return false;
  if (rest == "*") {
    request.path = rest;
    request.query = {};
    return request.method == Method::options;
  }
  if (rest.front() != '/' && !drop_authority(rest)) return false;
  const auto mark = std::min(rest.find('?'), rest.size());
  request.path = mark == 0 ? std::string_view("/") : rest.substr(0, mark);
  request.query = rest.substr(std::min(mark + 1, rest.size()));
  return true;
}

}  // namespace latchkey::http
