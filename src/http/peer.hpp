#pragma once

#include <optional>

#include "base/ip_address.hpp"

namespace latchkey::http {

/// The other end of a connection. Without an address and not over a Unix socket: it could not be found out.
struct Peer {
  std::optional<IpAddress> address{};
  bool over_unix_socket = false;
};

}  // namespace latchkey::http
