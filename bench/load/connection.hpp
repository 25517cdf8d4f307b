#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "load/answers.hpp"

namespace latchkey::bench {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, FreeSsl>;

/// A keep-alive client that does not block once it is connected. Throws std::runtime_error when the server ends it.
class Connection {
 public:
  /// `context`: none for plain HTTP. The server's certificate is not checked: it is our own, on loopback.
  Connection(std::uint16_t port, SSL_CTX* context);
  ~Connection();
  Connection(Connection&& other) noexcept;

  int descriptor() const { return fd_; }
  /// Sends all of it: requests are small and the socket is empty.
  void send(std::string_view requests);
  /// Up to Answers::read_size octets; nothing: none have come yet.
  std::optional<std::size_t> receive(char* into);
  /// More has been read from the socket than receive() has handed out.
  bool holds_more() const { return ssl_ && SSL_has_pending(ssl_.get()) == 1; }
  /// What both sides agreed on; empty for plain HTTP.
  std::string cipher() const {
    return ssl_ ? std::string(SSL_get_version(ssl_.get())) + " " + SSL_get_cipher_name(ssl_.get()) : std::string();
  }

  Answers answers;
  std::uint64_t sent_at = 0;  // nanoseconds
  unsigned owed = 0;          // answers

 private:
  int fd_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
};

}  // namespace latchkey::bench
