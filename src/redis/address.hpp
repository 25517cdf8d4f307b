#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace latchkey::redis {

/// Where a Redis server is, and the user to log in as.
///
///   redis://[[user]:password@]host[:port][/database]      port 6379, database 0 unless said; host may be [IPv6]
///
/// User and password may be percent-encoded (RFC 3986). TLS (rediss://) is not spoken: use a tunnel.
struct Address {
  std::string host;
  std::uint16_t port = 6379;
  std::string user;  // empty: the default user
  Secret password;   // empty: no AUTH
  unsigned database = 0;

  /// Refuses with ErrorCode::invalid. No text of the error repeats the URL, which may hold a password.
  static Result<Address> parse(std::string_view url);
  /// "host:port/database": for logs.
  std::string to_string() const;
};

}  // namespace latchkey::redis
