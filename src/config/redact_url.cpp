#include "config/redact_url.hpp"

#include <algorithm>
#include <string_view>

namespace latchkey::config {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// host, host:port, [IPv6] or [IPv6]:port. Of "user:password" the password is no port.
bool names_host(std::string_view text) {
  const auto host_end = text.starts_with('[') ? text.find(']') : 0;
  if (host_end == std::string_view::npos) return false;
  const auto colon = text.find(':', host_end);
  return colon == std::string_view::npos ? !text.empty() : colon > 0 && is_number(text.substr(colon + 1));
}

/// "3" of a Redis server, "main" or "main/3" of Sentinels.
bool names_database(std::string_view path, bool by_sentinel) {
  if (by_sentinel) path.remove_prefix(std::min(path.find('/'), path.size() - 1) + 1);
  return path.empty() || is_number(path);
}

/// What follows the '@' of a URL: hosts with commas between, and a path. For Redis there is no URL without a host, and
/// nobody but Sentinels has several.
bool names_place(std::string_view text, bool redis, bool by_sentinel) {
  text = text.substr(0, text.find('?'));
  const auto end = std::min(text.find_first_of("/#"), text.size());
  const auto path = text.substr(std::min(end + 1, text.size()));
  if (redis && !path.empty() && !names_database(path, by_sentinel)) return false;
  if (redis && !by_sentinel) return names_host(text.substr(0, end));
  if (redis && end == 0) return false;
  for (std::size_t at = 0; end > 0 && at <= end;) {
    const auto comma = std::min(text.find(',', at), end);
    if (!names_host(text.substr(at, comma - at))) return false;
    at = comma + 1;
  }
  return true;
}

}  // namespace

std::string redact_url_credentials(std::string text) {
  const auto none = std::string::npos;
  const auto scheme = text.find("://");
  if (scheme == none) return text;
  const auto begin = scheme + 3;
  const bool redis = text.starts_with("redis");
  const bool by_sentinel = redis && text.substr(0, scheme).ends_with("-sentinel");
  const auto at = text.find('@', begin) == none ? none : text.rfind('@');
  const auto colon = text.find(':', begin);
  const auto query = text.find_first_of("?#", begin);
  if (at != none && query < at) return text.substr(0, redis ? begin : std::min(colon, query) + 1) + "***";
  if (!names_place(std::string_view(text).substr(at == none ? begin : at + 1), redis, by_sentinel)) {
    return text.substr(0, begin) + "***";
  }
  if (query != none) text.replace(query + 1, none, "***");
  if (at != none && colon < at) {
    text.replace(colon + 1, at - colon - 1, "***");
  } else if (at != none && redis) {
    text.replace(begin, at - begin, "***");
  }
  return text;
}

}  // namespace latchkey::config
