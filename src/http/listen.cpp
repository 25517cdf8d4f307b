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
  return Error::invalid("/listen",
                        fmt::format("\"{}\" is neither host:port with a numeric host nor unix:/path", listen));
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

Result<Endpoint> parse_endpoint(std::string_view listen) {
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

namespace {

Result<ListenAddress> parse_one(std::string_view text) {
  if (!text.starts_with("unix:")) {
    const auto endpoint = parse_endpoint(text);
    return endpoint ? Result<ListenAddress>(*endpoint) : endpoint.error();
  }
  const auto address = UnixAddress::parse(text);
  if (!address) return address.error();
  if (auto known = check_group(*address); !known) return known.error();
  return ListenAddress(*address);
}

/// Port 0 is any free one, and another each time.
bool are_same(const ListenAddress& a, const ListenAddress& b) {
  if (const auto* path = std::get_if<UnixAddress>(&a)) {
    const auto* other = std::get_if<UnixAddress>(&b);
    return other != nullptr && other->path == path->path;
  }
  const auto* other = std::get_if<Endpoint>(&b);
  const auto& endpoint = std::get<Endpoint>(a);
  return other != nullptr && endpoint.port() != 0 && other->port() == endpoint.port() &&
         other->host() == endpoint.host();
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<std::vector<ListenAddress>> parse_listen(std::string_view list) {
  std::vector<ListenAddress> addresses;
  for (bool more = true; more;) {
    const auto comma = list.find(',');
    more = comma != std::string_view::npos;
    const std::string_view text = trimmed(list.substr(0, comma));
    if (more) list.remove_prefix(comma + 1);
    const auto address = parse_one(text);
    if (!address) return address.error();
    for (const auto& earlier : addresses) {
      if (are_same(earlier, *address)) return Error::invalid("/listen", fmt::format("{} stands there twice", text));
    }
    addresses.push_back(*address);
  }
  return addresses;
}

std::string reachable_url(std::string_view scheme, const ListenAddress& address) {
  if (const auto* path = std::get_if<UnixAddress>(&address)) return "unix:" + path->path;
  const auto& endpoint = std::get<Endpoint>(address);
  std::string host = endpoint.host();
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (endpoint.family() == AF_INET6) host = "[" + host + "]";
  return fmt::format("{}://{}:{}", scheme, host, endpoint.port());
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
