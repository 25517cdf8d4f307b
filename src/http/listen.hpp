#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "http/socket.hpp"

namespace latchkey::http {

/// A numeric address and a port.
class Endpoint {
 public:
  Endpoint(const in_addr& address, std::uint16_t port);
  Endpoint(const in6_addr& address, std::uint16_t port);

  std::uint16_t port() const;
  void set_port(std::uint16_t port);
  std::string host() const;
  int family() const { return storage_.generic.sa_family; }
  const sockaddr* address() const { return &storage_.generic; }
  socklen_t size() const;

 private:
  union {
    sockaddr generic;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } storage_{};
};

/// "127.0.0.1:7070", "[::1]:7070", "localhost:0". ErrorCode::invalid for anything else.
Result<Endpoint> parse_listen(std::string_view listen);

/// A listener that shares its port with those of the process's other threads (SO_REUSEPORT); port 0 takes a free one,
/// which `endpoint` then has.
Result<Socket> open_listener(Endpoint& endpoint);

/// Fails with ErrorCode::unavailable where another process listens. SO_REUSEPORT alone would share the port with a
/// second instance of this user's, and each would get half the clients.
Result<void> check_unused(const Endpoint& endpoint);

}  // namespace latchkey::http
