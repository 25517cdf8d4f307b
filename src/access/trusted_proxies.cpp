#include "access/trusted_proxies.hpp"

#include <algorithm>

#include "http/ascii.hpp"

namespace latchkey::access {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

/// "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:4711": proxies write all of these.
std::optional<IpAddress> forwarded_address(std::string_view entry) {
  if (entry.starts_with('[')) {
    const auto end = entry.find(']');
    const bool well_formed = end != std::string_view::npos && (end + 1 == entry.size() || entry[end + 1] == ':');
    return well_formed ? IpAddress::parse(entry.substr(1, end - 1)) : std::nullopt;
  }
  if (std::count(entry.begin(), entry.end(), ':') == 1) entry = entry.substr(0, entry.find(':'));
  return IpAddress::parse(entry);
}

/// From the right: the first that is no proxy of ours; if all are, the last one looked at. False: the end was found.
bool step_left(std::string_view header, const TrustedProxies& trusted, std::optional<IpAddress>& client) {
  for (;;) {
    const auto comma = header.rfind(',');
    client = forwarded_address(trimmed(comma == std::string_view::npos ? header : header.substr(comma + 1)));
    if (!client || !trusted.trusts(*client)) return false;
    if (comma == std::string_view::npos) return true;
    header = header.substr(0, comma);
  }
}

}  // namespace

Result<TrustedProxies> TrustedProxies::parse(std::string_view list) {
  TrustedProxies trusted;
  while (!trimmed(list).empty()) {
    const std::string_view entry = trimmed(list.substr(0, list.find(',')));
    list.remove_prefix(std::min(list.find(','), list.size() - 1) + 1);
    if (entry == "unix") {
      trusted.unix_sockets_ = true;
      continue;
    }
    const auto network = IpNetwork::parse(entry);
    if (!network) {
      return Error(ErrorCode::invalid,
                   network.error().detail + "; names are not looked up, and Unix sockets are `unix`");
    }
    trusted.networks_.push_back(*network);
  }
  return trusted;
}

bool TrustedProxies::trusts(const http::Peer& peer) const {
  return peer.over_unix_socket ? unix_sockets_ : peer.address && trusts(*peer.address);
}

bool TrustedProxies::trusts(const IpAddress& address) const {
  return std::any_of(networks_.begin(), networks_.end(),
                     [&](const auto& network) { return network.contains(address); });
}

std::optional<IpAddress> client_address(const http::Request& request, const http::Peer& peer,
                                        const TrustedProxies& trusted, ClientAddress source) {
  std::optional<IpAddress> client = peer.address;
  if (source == ClientAddress::peer || !trusted.trusts(peer)) return client;
  // Several lines of one name are one list (RFC 9110, 5.3).
  for (auto header = request.headers.rbegin(); header != request.headers.rend(); ++header) {
    if (!http::equals_ignoring_case(header->name, "x-forwarded-for")) continue;
    if (!step_left(header->value, trusted, client)) break;
  }
  return client;
}

}  // namespace latchkey::access
