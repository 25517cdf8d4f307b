#include "http/socket.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace latchkey::http {
namespace {

Socket::Moved moved(ssize_t n) {
  if (n > 0) return {Socket::Status::done, static_cast<std::size_t>(n)};
  const bool later = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
  return {later ? Socket::Status::later : Socket::Status::ended, 0};
}

}  // namespace

void Socket::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

Socket::Moved Socket::receive(std::span<char> into) const {
  return moved(::recv(descriptor_, into.data(), into.size(), 0));
}

Socket::Moved Socket::send(std::string_view octets) const {
  return moved(::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL));
}

bool Socket::finish_sending() const { return ::shutdown(descriptor_, SHUT_WR) == 0; }

}  // namespace latchkey::http
