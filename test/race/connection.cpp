#include "connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace latchkey::race {
namespace {

[[noreturn]] void fail(const char* what) { throw std::runtime_error(std::string(what) + ": " + std::strerror(errno)); }

std::size_t content_length_of(std::string_view head) {
  constexpr std::string_view name = "\r\nContent-Length: ";
  const auto at = head.find(name);
  return at == std::string_view::npos ? 0 : std::strtoul(head.data() + at + name.size(), nullptr, 10);
}

}  // namespace

Connection::Connection(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval patience{60, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
}

Connection::~Connection() { ::close(fd_); }

void Connection::send(std::string_view requests) {
  while (!requests.empty()) {
    const auto n = ::send(fd_, requests.data(), requests.size(), MSG_NOSIGNAL);
    if (n <= 0) fail("send");
    requests.remove_prefix(static_cast<std::size_t>(n));
  }
}

Answer Connection::receive() {
  for (;;) {
    const std::string_view rest = std::string_view(input_).substr(begin_);
    const auto end = rest.find("\r\n\r\n");
    if (end != std::string_view::npos) {
      const std::string_view head = rest.substr(0, end + 2);
      const std::size_t size = end + 4 + content_length_of(head);
      if (rest.size() >= size) {
        begin_ += size;
        return {std::atoi(rest.data() + 9), head, rest.substr(end + 4, size - end - 4)};
      }
    }
    input_.erase(0, begin_);
    begin_ = 0;
    std::array<char, 65536> buffer;
    const auto n = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (n <= 0) fail("recv");
    input_.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace latchkey::race
