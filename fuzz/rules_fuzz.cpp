// Patterns of rules and the paths that they are matched against: of any octets, no spelling of a path may pass a rule
// that another spelling of it would not.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "rules/pattern.hpp"
#include "rules/request_path.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// Every octet but '/' percent-encoded: another spelling of the same path.
std::string encoded(std::string_view path) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  for (const char c : path) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '/') {
      out += c;
    } else {
      out += {'%', hex[octet >> 4U], hex[octet & 15U]};
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace latchkey::rules;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto line = input.find('\n');
  const std::string_view target = line == std::string_view::npos ? "" : input.substr(line + 1);
  const auto pattern = Pattern::parse(input.substr(0, line));
  if (pattern) require(Pattern::parse(pattern->to_string())->to_string() == pattern->to_string());

  std::string room;
  const auto path = unambiguous_path(target, room);
  if (!path) return 0;
  require(path->starts_with('/'));
  for (const std::string_view odd : {"//", "/./", "/../", "\\", ";", "%"}) require(!path->contains(odd));
  require(!path->ends_with("/.") && !path->ends_with("/.."));
  std::string other_room;
  const std::string other = encoded(*path);
  const auto again = unambiguous_path(other, other_room);
  require(again && *again == *path);
  std::string query_room;
  const std::string with_query = std::string(other) + "?/../x";
  require(unambiguous_path(with_query, query_room) == *path);
  if (pattern) {
    for (const std::string_view method : {"GET", "HEAD", "POST"}) (void)pattern->matches(method, *path);
    require(pattern->matches("GET", *path) || !pattern->matches("HEAD", *path));
  }
  return 0;
}
