#include "rules/request_path.hpp"

#include <algorithm>

namespace latchkey::rules {
namespace {

/// -1: no digit.
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// False: a malformed escape, or one of a character that separates segments.
bool decode(std::string_view path, std::string& into) {
  into.clear();
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      into += path[i];
      continue;
    }
    const int high = i + 2 < path.size() ? hex_value(path[i + 1]) : -1;
    const int low = high < 0 ? -1 : hex_value(path[i + 2]);
    if (low < 0) return false;
    const auto octet = static_cast<char>(high * 16 + low);
    if (octet == '/' || octet == '\\') return false;
    into += octet;
    i += 2;
  }
  return true;
}

bool is_forbidden(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet < 0x20 || octet == 0x7f || c == '\\' || c == ';' || c == '%';
}

/// `path` begins with '/'. An empty segment may stand at the end only.
bool has_odd_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    if (segment == "." || segment == ".." || (segment.empty() && !path.empty())) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string_view> unambiguous_path(std::string_view target, std::string& room) {
  std::string_view path = target.substr(0, target.find('?'));
  if (!path.starts_with('/') || path.contains('#')) return std::nullopt;
  if (path.contains('%')) {
    if (!decode(path, room)) return std::nullopt;
    path = room;
  }
  if (std::any_of(path.begin(), path.end(), is_forbidden) || has_odd_segment(path)) return std::nullopt;
  return path;
}

}  // namespace latchkey::rules
