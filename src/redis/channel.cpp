#include "redis/channel.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "redis/waiting.hpp"

namespace latchkey::redis {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Error last_error() { return unreachable(std::strerror(errno)); }

Result<Descriptor> connected(const Endpoint& server, milliseconds within) {
  const auto at_least = std::max(within, milliseconds(1));
  const timeval time{at_least.count() / 1000, at_least.count() % 1000 * 1000};
  const std::unique_ptr<redisContext, decltype(&redisFree)> context(
      redisConnectWithTimeout(server.host.c_str(), server.port, time), &redisFree);
  if (!context) throw std::bad_alloc();
  if (context->err != 0) return unreachable(context->errstr);
  redisEnableKeepAlive(context.get());
  Descriptor socket(std::exchange(context->fd, -1));
  if (::fcntl(socket.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0) return last_error();
  return socket;
}

}  // namespace

Result<std::unique_ptr<Channel>> Channel::connect(const Endpoint& server, const std::optional<Tls>& tls,
                                                  milliseconds within) {
  const auto end = steady_clock::now() + within;
  auto socket = connected(server, within);
  if (!socket) return socket.error();
  std::unique_ptr<Channel> channel(new Channel(std::move(*socket)));
  if (!tls) return channel;
  const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
  auto client = TlsClient::connect(channel->socket_.get(), *tls, server.host, std::max(left, milliseconds(1)));
  if (!client) return client.error();
  channel->tls_ = std::move(*client);
  return channel;
}

Result<void> Channel::write(std::string_view octets, milliseconds within) {
  if (tls_) return tls_->write(octets, within);
  const auto end = steady_clock::now() + within;
  while (!octets.empty()) {
    const auto n = ::send(socket_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      octets.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EAGAIN && errno != EINTR) {
      return last_error();
    } else if (errno == EAGAIN && !is_ready(socket_.get(), POLLOUT, end)) {
      return unreachable(fmt::format("nothing was taken within {} ms", within.count()));
    }
  }
  return {};
}

Result<std::size_t> Channel::read(std::span<char> room, milliseconds within) {
  if (tls_) return tls_->read(room, within);
  const auto end = steady_clock::now() + within;
  for (;;) {
    const auto n = ::recv(socket_.get(), room.data(), room.size(), 0);
    if (n > 0) return static_cast<std::size_t>(n);
    if (n == 0) return unreachable("Server closed the connection");
    if (errno != EAGAIN && errno != EINTR) return last_error();
    if (errno == EAGAIN && !is_ready(socket_.get(), POLLIN, end)) return std::size_t{0};
  }
}

}  // namespace latchkey::redis
