#include "http/listen.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <charconv>

namespace latchkey::http {
namespace {

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

Error unavailable(const Tcp::endpoint& endpoint, const error_code& ec) {
  return Error(ErrorCode::unavailable, fmt::format("cannot listen on port {} of {}: {}", endpoint.port(),
                                                   endpoint.address().to_string(), ec.message()));
}

Error bad_address(std::string_view listen) {
  return Error::invalid("/listen", fmt::format("\"{}\" is not host:port with a numeric host", listen));
}

std::string_view without_brackets(std::string_view host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

Result<Tcp::endpoint> parse_listen(std::string_view listen) {
  const auto colon = listen.rfind(':');
  if (colon == std::string_view::npos) return bad_address(listen);
  const std::string_view digits = listen.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || wrong != std::errc() || end != digits.data() + digits.size()) return bad_address(listen);
  const std::string_view host = listen.substr(0, colon);
  const std::string_view bare = without_brackets(host);
  error_code ec;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : std::string(bare), ec);
  if (ec || address.is_v6() != (bare.size() != host.size())) return bad_address(listen);
  return Tcp::endpoint(address, port);
}

Result<void> check_unused(asio::io_context& io, const Tcp::endpoint& endpoint) {
  if (endpoint.port() == 0) return {};
  Acceptor probe(io);
  error_code ec;
  probe.open(endpoint.protocol(), ec);
  if (!ec) probe.set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec) probe.bind(endpoint, ec);
  if (ec) return unavailable(endpoint, ec);
  return {};
}

Result<Acceptor> open_listener(asio::io_context& io, const Tcp::endpoint& endpoint) {
  Acceptor listener(io);
  error_code ec;
  listener.open(endpoint.protocol(), ec);
  if (!ec) ::fcntl(listener.native_handle(), F_SETFD, FD_CLOEXEC);
  if (!ec) listener.set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec) listener.set_option(ReusePort(true), ec);
  if (!ec) listener.bind(endpoint, ec);
  if (!ec) listener.listen(asio::socket_base::max_listen_connections, ec);
  if (!ec) listener.non_blocking(true, ec);
  if (ec) return unavailable(endpoint, ec);
  return listener;
}

}  // namespace latchkey::http
