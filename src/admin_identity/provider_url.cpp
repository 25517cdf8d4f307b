#include "admin_identity/provider_url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/json.hpp"
#include "base/shown.hpp"

namespace latchkey::admin_identity {
namespace {

Error bad(std::string_view url, std::string_view why) {
  return Error(ErrorCode::invalid, fmt::format("{} {}", shown(url, 200), why));
}

bool is_loopback(std::string_view authority) {
  std::string_view host =
      authority.substr(0, authority.starts_with('[') ? authority.find(']') + 1 : authority.find(':'));
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

}  // namespace

Result<void> check_provider_url(std::string_view url) {
  const bool https = url.starts_with("https://");
  if (!https && !url.starts_with("http://")) return bad(url, "is not an https:// URL");
  if (!std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c <= '~' && c != '#' && c != '\\'; })) {
    return bad(url, "has a fragment, white space or characters that no URL has");
  }
  const std::string_view rest = url.substr(https ? 8 : 7);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  if (authority.empty() || authority.starts_with(':')) return bad(url, "names no host");
  if (authority.contains('@')) return bad(url.substr(0, https ? 8 : 7), "must not hold a user or a password");
  if (!https && !is_loopback(authority)) return bad(url, "must be https://: http:// is for loopback only");
  return {};
}

Result<std::string> origin_of(std::string_view url) {
  const auto host = url.find("://") + 3;
  const std::string_view origin = url.substr(0, url.find_first_of("/?", host));
  const bool plain = std::all_of(origin.begin(), origin.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::strchr(".-:/[]_", c) != nullptr;
  });
  if (!plain) return bad(url, "has characters in its host that no host has");
  return std::string(origin);
}

std::string discovery_url(std::string_view issuer) {
  while (issuer.ends_with('/')) issuer.remove_suffix(1);
  return std::string(issuer) + "/.well-known/openid-configuration";
}

Result<std::string> jwks_url_in(std::string_view discovery_document, std::string_view issuer) {
  const auto parsed = parse_json(discovery_document, 32);
  if (!parsed || !parsed->is_object()) return Error(ErrorCode::invalid, "the discovery document is no JSON object");
  const auto text = [&](std::string_view name) {
    const auto* member = parsed->as_object().if_contains(name);
    return member != nullptr && member->is_string() ? std::string(member->as_string()) : std::string();
  };
  if (const auto named = text("issuer"); named != issuer) {
    return Error(ErrorCode::invalid, fmt::format("the discovery document is of the issuer {}, not of {}",
                                                 shown(named, 200), shown(issuer, 200)));
  }
  auto url = text("jwks_uri");
  if (url.empty()) return Error(ErrorCode::invalid, "the discovery document has no jwks_uri");
  if (const auto checked = check_provider_url(url); !checked) {
    return Error(ErrorCode::invalid, "jwks_uri " + checked.error().detail);
  }
  return url;
}

bool is_private(const IpAddress& address) {
  static const std::vector<IpNetwork> networks = [] {
    std::vector<IpNetwork> made;
    for (const std::string_view text :
         {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
          "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3", "::/127", "64:ff9b::/96", "64:ff9b:1::/48", "fc00::/7",
          "fe80::/10", "fec0::/10", "ff00::/8"}) {
      made.push_back(IpNetwork::parse(text).value());
    }
    return made;
  }();
  return std::any_of(networks.begin(), networks.end(), [&](const auto& network) { return network.contains(address); });
}

}  // namespace latchkey::admin_identity
