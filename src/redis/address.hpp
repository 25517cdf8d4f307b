#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace latchkey::redis {

struct Endpoint {
  std::string host;  // a name or an address, IPv6 without brackets
  std::uint16_t port = 6379;
  /// "host:port", "[IPv6]:port".
  std::string to_string() const;
  bool operator==(const Endpoint&) const = default;
};

/// PEM files and the name that the server's certificate must have. The certificate is always verified.
struct Tls {
  std::string authorities{};  // file; empty: the system's
  std::string name{};         // empty: the host's, or the address where that is what is connected to
  std::string certificate{};  // file with the client's own chain; empty: none is sent
  std::string key{};          // file with its private key, without a password
};

/// Where a Redis server is, and the user to log in as.
///
///   redis://[[user]:password@]host[:port][/database]        port 6379, database 0 unless said; host may be [IPv6]
///   rediss://…[?ca=FILE&name=NAME&cert=FILE&key=FILE]       over TLS 1.2 or 1.3
///   redis-sentinel://[[user]:password@]host[:port],…/PRIMARY[/database][?sentinel-user=U&sentinel-password=P]
///   rediss-sentinel://…                                     TLS to the Sentinels and to the primary
///
/// Sentinels listen at port 26379 unless said; the first user is the primary's. All texts may be percent-encoded (RFC
/// 3986); in the query '@' and '&' must be.
struct Address {
  Endpoint server;                  // without Sentinels
  std::vector<Endpoint> sentinels;  // empty: there are none
  std::string primary;              // what the Sentinels call it
  std::string user;                 // empty: the default user
  Secret password;                  // empty: no AUTH
  unsigned database = 0;
  std::string sentinel_user;
  Secret sentinel_password;
  std::optional<Tls> tls;  // none: in plain text

  /// Refuses with ErrorCode::invalid. No text of the error repeats the URL, which may hold a password.
  static Result<Address> parse(std::string_view url);
  /// "host:port/database", "primary/database of host:port,host:port": for logs.
  std::string to_string() const;

  /// The same user, database and TLS at this server.
  Address at(Endpoint endpoint) const;
  /// One of the Sentinels as a server, which has no database.
  Address sentinel(std::size_t number) const;
};

}  // namespace latchkey::redis
