#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "http/socket.hpp"
#include "http/unix_listener.hpp"

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
Result<Endpoint> parse_endpoint(std::string_view text);

using ListenAddress = std::variant<Endpoint, UnixAddress>;

/// One address or several, comma separated: "127.0.0.1:7070, unix:/run/latchkey/keys.sock?mode=0660". The same one twice
/// is an error, and so is a group that this machine does not have.
Result<std::vector<ListenAddress>> parse_listen(std::string_view list);

/// How this machine reaches a service that listens there: "http://127.0.0.1:7070", "unix:/run/latchkey/keys.sock". A
/// wildcard address becomes loopback. `scheme` is that of TCP; Unix sockets carry no TLS.
std::string reachable_url(std::string_view scheme, const ListenAddress& address);

/// A listener that shares its port with those of the process's other threads (SO_REUSEPORT); port 0 takes a free one,
/// which `endpoint` then has.
Result<Socket> open_listener(Endpoint& endpoint);

/// Fails with ErrorCode::unavailable where another process listens. SO_REUSEPORT alone would share the port with a
/// second instance of this user's, and each would get half the clients.
Result<void> check_unused(const Endpoint& endpoint);

}  // namespace latchkey::http
