#pragma once

// The octets of one connection to a server, over TCP, in plain text or TLS. Every wait has an end.

#include <chrono>
#include <memory>
#include <span>
#include <string_view>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "redis/tls_client.hpp"

namespace latchkey::redis {

/// One thread at a time. Errors are `unavailable`; the internal text says what happened, without the server's name.
/// After one nothing more goes either way.
class Channel {
 public:
  static Result<std::unique_ptr<Channel>> connect(const Endpoint& server, const std::optional<Tls>& tls,
                                                  std::chrono::milliseconds within);

  /// All of it.
  Result<void> write(std::string_view octets, std::chrono::milliseconds within);
  /// How many octets came; 0: none within that time.
  Result<std::size_t> read(std::span<char> room, std::chrono::milliseconds within);
  /// For poll(): readable when read() may have something. Ask read() first: with TLS, some may have come already.
  int descriptor() const { return socket_.get(); }

 private:
  explicit Channel(Descriptor socket) : socket_(std::move(socket)) {}

  Descriptor socket_;
  std::unique_ptr<TlsClient> tls_;  // none: plain text
};

}  // namespace latchkey::redis
