#pragma once

// A client for tests: plain sockets, so that every octet and every segment is the test's own choice; or the same
// through TLS, trusting whatever certificate it is shown.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace latchkey::http {

enum class Over { plain, tls };

class TestClient {
 public:
  explicit TestClient(std::uint16_t port, Over over = Over::plain)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect");
    }
    if (over == Over::tls) shake_hands();
  }
  /// At a Unix socket.
  explicit TestClient(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }
  ~TestClient() { disconnect(); }
  TestClient(TestClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), tls_(std::move(other.tls_)), buffer_(std::move(other.buffer_)) {}

  void disconnect() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void reset() {  // closes with RST
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    disconnect();
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }

  void send(std::string_view octets) {
    while (!octets.empty()) {
      const auto n = tls_ ? SSL_write(tls_.get(), octets.data(), static_cast<int>(octets.size()))
                          : ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (n <= 0) return;  // the server has closed; what it said first can still be read
      octets.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  /// Over TLS: the last that it has to say, and that it is, in one packet.
  void send_last(std::string_view octets) {
    int cork = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_CORK, &cork, sizeof cork);
    send(octets);
    SSL_shutdown(tls_.get());
    cork = 0;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_CORK, &cork, sizeof cork);
  }

  /// One recv() into the buffer; false at the end or after ten seconds of silence.
  bool receive() {
    pollfd ready{fd_, POLLIN, 0};
    const bool buffered = tls_ && SSL_has_pending(tls_.get()) == 1;
    if (!buffered && ::poll(&ready, 1, 10'000) <= 0) throw std::runtime_error("nothing came in ten seconds");
    char octets[16 * 1024];
    const auto n = tls_ ? SSL_read(tls_.get(), octets, sizeof octets) : ::recv(fd_, octets, sizeof octets, 0);
    if (n > 0) buffer_.append(octets, static_cast<std::size_t>(n));
    return n > 0;
  }

  struct Reply {
    int status = 0;
    std::string head;
    std::string body;
  };

  /// The next answer. Status 0: the connection ended first.
  enum class Expect { body, head_only };
  Reply read_reply(Expect expect = Expect::body) {
    const auto end = take_until("\r\n\r\n");
    if (!end) return {};
    Reply reply{std::atoi(buffer_.c_str() + 9), buffer_.substr(0, *end), {}};
    buffer_.erase(0, *end);
    const auto length = reply.head.find("Content-Length: ");
    if (expect == Expect::head_only || length == std::string::npos) return reply;
    const std::size_t size = std::strtoul(reply.head.c_str() + length + 16, nullptr, 10);
    while (buffer_.size() < size && receive()) {
    }
    reply.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return reply;
  }

  /// How often `mark` is in what was received and not yet read as an answer.
  std::size_t count_received(std::string_view mark) const {
    std::size_t n = 0;
    for (auto at = buffer_.find(mark); at != std::string::npos; at = buffer_.find(mark, at + mark.size())) ++n;
    return n;
  }

  /// Reads until `mark`, and returns everything up to and with it; what there is if the connection ends first.
  std::string read_until(std::string_view mark) {
    const auto end = take_until(mark);
    std::string text = buffer_.substr(0, end.value_or(buffer_.size()));
    buffer_.erase(0, text.size());
    return text;
  }

  /// Everything until the connection ends.
  std::string read_all() {
    while (receive()) {
    }
    return std::exchange(buffer_, {});
  }
  bool at_end() { return read_all().empty(); }

  Reply get(std::string_view path) {
    send("GET " + std::string(path) + " HTTP/1.1\r\nHost: t\r\n\r\n");
    return read_reply();
  }

  /// What the server showed, and whether it ended the connection with a goodbye.
  X509* certificate() const { return SSL_get0_peer_certificate(tls_.get()); }
  bool was_told_the_end() const { return (SSL_get_shutdown(tls_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  void shake_hands() {
    const std::unique_ptr<SSL_CTX, Free> context(SSL_CTX_new(TLS_client_method()));
    tls_.reset(SSL_new(context.get()));
    SSL_set_fd(tls_.get(), fd_);
    if (SSL_connect(tls_.get()) != 1) throw std::runtime_error("no TLS handshake");
  }

  std::optional<std::size_t> take_until(std::string_view mark) {
    for (;;) {
      const auto at = buffer_.find(mark);
      if (at != std::string::npos) return at + mark.size();
      if (!receive()) return std::nullopt;
    }
  }

  int fd_;
  std::unique_ptr<SSL, Free> tls_;  // none: plain
  std::string buffer_;
};

}  // namespace latchkey::http
