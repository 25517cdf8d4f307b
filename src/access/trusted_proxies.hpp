#pragma once

// Which peers' headers are believed. Anybody can send X-Forwarded-For; from a proxy of ours it is the truth.
//
// The proxies are 10.0.0.0/8, the client is 203.0.113.9, and it sends an X-Forwarded-For of its own:
//
//   client ──(X-Forwarded-For: 1.2.3.4)──> 10.0.0.1 ──(…, 203.0.113.9)──> 10.0.0.2 ──(…, 10.0.0.1)──> Latchkey
//
// Latchkey sees 10.0.0.2 as its peer and `1.2.3.4, 203.0.113.9, 10.0.0.1` in the header. From the right: 10.0.0.1 is a
// proxy of ours, 203.0.113.9 is not, so that is the client. What stands left of it the client may have made up.

#include <optional>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/ip_address.hpp"
#include "http/message.hpp"
#include "http/peer.hpp"

namespace latchkey::access {

/// Immutable; any thread may ask.
class TrustedProxies {
 public:
  /// Nobody.
  TrustedProxies() = default;
  /// "10.0.0.0/8, ::1, unix", comma separated; empty: nobody. `unix`: all that may connect to our Unix socket.
  static Result<TrustedProxies> parse(std::string_view list);

  bool trusts(const http::Peer& peer) const;
  bool trusts(const IpAddress& address) const;
  bool nobody() const { return networks_.empty() && !unix_sockets_; }

 private:
  std::vector<IpNetwork> networks_;
  bool unix_sockets_ = false;
};

enum class ClientAddress : std::uint8_t { peer, x_forwarded_for };

/// Where the request comes from. nullopt: unknown, as with a Unix socket as peer, or where an entry of the header that
/// decides is no address.
std::optional<IpAddress> client_address(const http::Request& request, const http::Peer& peer,
                                        const TrustedProxies& trusted, ClientAddress source);

}  // namespace latchkey::access
