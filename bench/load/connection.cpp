#include "load/connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace latchkey::bench {

Connection::Connection(std::uint16_t port, SSL_CTX* context) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
  }
  if (context != nullptr) {
    ssl_.reset(SSL_new(context));
    SSL_set_fd(ssl_.get(), fd_);
    if (SSL_connect(ssl_.get()) != 1) throw std::runtime_error("no TLS handshake");
  }
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
}

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

Connection::Connection(Connection&& other) noexcept
    : answers(std::move(other.answers)),
      sent_at(other.sent_at),
      owed(other.owed),
      fd_(std::exchange(other.fd_, -1)),
      ssl_(std::move(other.ssl_)) {}

void Connection::send(std::string_view requests) {
  const auto n = ssl_ ? SSL_write(ssl_.get(), requests.data(), static_cast<int>(requests.size()))
                      : ::send(fd_, requests.data(), requests.size(), MSG_NOSIGNAL);
  if (n != static_cast<ssize_t>(requests.size())) throw std::runtime_error("the server does not read");
}

std::optional<std::size_t> Connection::receive(char* into) {
  const auto n = ssl_ ? SSL_read(ssl_.get(), into, static_cast<int>(Answers::read_size))
                      : ::recv(fd_, into, Answers::read_size, 0);
  if (n > 0) return static_cast<std::size_t>(n);
  const bool later = ssl_ ? SSL_get_error(ssl_.get(), static_cast<int>(n)) == SSL_ERROR_WANT_READ
                          : n < 0 && (errno == EAGAIN || errno == EINTR);
  if (!later) throw std::runtime_error("the server closed a connection");
  return std::nullopt;
}

}  // namespace latchkey::bench
