#pragma once

// TLS 1.2 or 1.3 over a connected socket, as a client. The server's certificate must come from an authority that is
// trusted and must have the server's name (RFC 6125) or address; there is no way to leave that out.

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "redis/address.hpp"

struct ssl_st;

namespace latchkey::redis {

/// Whether the files can be read and belong together: ErrorCode::invalid with a text for the operator.
Result<void> check_tls_files(const Tls& tls);

/// One thread at a time. Errors are `unavailable`; the internal text says what is wrong and what to do.
class TlsClient {
 public:
  /// Shakes hands. `socket` does not block and outlives it; `host` is what it was connected to.
  static Result<std::unique_ptr<TlsClient>> connect(int socket, const Tls& tls, const std::string& host,
                                                    std::chrono::milliseconds within);
  /// Says goodbye.
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  /// All of it.
  Result<void> write(std::string_view octets, std::chrono::milliseconds within);
  /// How many octets came; 0: none within that time.
  Result<std::size_t> read(std::span<char> room, std::chrono::milliseconds within);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  TlsClient(int socket, std::unique_ptr<ssl_st, Free> ssl, std::string name)
      : socket_(socket), ssl_(std::move(ssl)), name_(std::move(name)) {}

  /// After a call that returned `returned`: waits for what it needs. False: not within that time.
  Result<bool> wait_for_need(int returned, Time until);
  Error failure(int kind);

  const int socket_;
  std::unique_ptr<ssl_st, Free> ssl_;
  const std::string name_;  // that the certificate must have
  bool failed_ = false;
};

}  // namespace latchkey::redis
