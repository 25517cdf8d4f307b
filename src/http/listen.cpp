#include "http/listen.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <system_error>

namespace latchkey::http {
namespace {

Error unavailable(const Endpoint& endpoint) {
  const int why = errno;
  return Error(ErrorCode::unavailable, fmt::format("cannot listen on port {} of {}: {}", endpoint.port(),
                                                   endpoint.host(), std::generic_category().message(why)));
}

Error bad_address(std::string_view listen) {
  return Error::invalid("/listen", fmt::format("\"{}\" is not host:port with a numeric host", listen));
}

bool switch_on(int descriptor, int option) {
  const int on = 1;
  return ::setsockopt(descriptor, SOL_SOCKET, option, &on, sizeof on) == 0;
}

Socket new_socket(const Endpoint& endpoint) {
  return Socket(::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

bool bind(const Socket& socket, const Endpoint& endpoint) {
  return ::bind(socket.descriptor(), endpoint.address(), endpoint.size()) == 0;
}

bool learn_port(const Socket& socket, Endpoint& endpoint) {
  sockaddr_in6 bound{};  // the port stands in the same place of both families
  socklen_t size = sizeof bound;
  if (::getsockname(socket.descriptor(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) return false;
  endpoint.set_port(ntohs(bound.sin6_port));
  return true;
}

}  // namespace

Endpoint::Endpoint(const in_addr& address, std::uint16_t port) {
  storage_.v4.sin_family = AF_INET;
  storage_.v4.sin_addr = address;
  storage_.v4.sin_port = htons(port);
}

Endpoint::Endpoint(const in6_addr& address, std::uint16_t port) {
  storage_.v6.sin6_family = AF_INET6;
  storage_.v6.sin6_addr = address;
  storage_.v6.sin6_port = htons(port);
}

std::uint16_t Endpoint::port() const {
  return ntohs(family() == AF_INET ? storage_.v4.sin_port : storage_.v6.sin6_port);
}

void Endpoint::set_port(std::uint16_t port) {
  (family() == AF_INET ? storage_.v4.sin_port : storage_.v6.sin6_port) = htons(port);
}

std::string Endpoint::host() const {
  char text[INET6_ADDRSTRLEN] = {};
  const void* const bytes =
      family() == AF_INET ? static_cast<const void*>(&storage_.v4.sin_addr) : &storage_.v6.sin6_addr;
  return ::inet_ntop(family(), bytes, text, sizeof text) == nullptr ? "?" : text;
}

socklen_t Endpoint::size() const { return family() == AF_INET ? sizeof storage_.v4 : sizeof storage_.v6; }

Result<Endpoint> parse_listen(std::string_view listen) {
  const auto colon = listen.rfind(':');
  if (colon == std::string_view::npos) return bad_address(listen);
  const std::string_view digits = listen.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || wrong != std::errc() || end != digits.data() + digits.size()) return bad_address(listen);
  std::string_view host = listen.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  in_addr v4{};
  if (::inet_pton(AF_INET, std::string(host).c_str(), &v4) == 1) return Endpoint(v4, port);
  if (host.size() <= 2 || host.front() != '[' || host.back() != ']') return bad_address(listen);
  in6_addr v6{};
  if (::inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &v6) != 1) return bad_address(listen);
  return Endpoint(v6, port);
}

Result<void> check_unused(const Endpoint& endpoint) {
  if (endpoint.port() == 0) return {};
  const Socket probe = new_socket(endpoint);
  if (!probe.is_open() || !switch_on(probe.descriptor(), SO_REUSEADDR) || !bind(probe, endpoint)) {
    return unavailable(endpoint);
  }
  return {};
}

Result<Socket> open_listener(Endpoint& endpoint) {
  Socket listener = new_socket(endpoint);
  const int descriptor = listener.descriptor();
  const bool good = listener.is_open() && switch_on(descriptor, SO_REUSEADDR) && switch_on(descriptor, SO_REUSEPORT) &&
                    bind(listener, endpoint) && ::listen(descriptor, SOMAXCONN) == 0 && learn_port(listener, endpoint);
  if (!good) return unavailable(endpoint);
  return listener;
}

}  // namespace latchkey::http
