#pragma once

// IP addresses and networks of them, IPv4 and IPv6 alike.
//
//   IpNetwork::parse("10.0.0.0/8")->contains(*IpAddress::parse("10.1.2.3"))           true
//   IpNetwork::parse("10.0.0.0/8")->contains(*IpAddress::parse("::ffff:10.1.2.3"))    true: the same address
//   IpNetwork::parse("::/0")->contains(*IpAddress::parse("10.1.2.3"))                 false: IPv6 only
//   IpNetwork::parse("10.0.0.1/8")                                                    an error: bits beyond the prefix

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace latchkey {

/// An IPv4 address is kept as the IPv6 address that maps it (RFC 4291, 2.5.5.2), so that both spellings are equal.
class IpAddress {
 public:
  /// The numeric forms of inet_pton(3), without brackets, zone and port. nullopt for anything else.
  static std::optional<IpAddress> parse(std::string_view text);
  /// nullopt where the address is of another family than AF_INET and AF_INET6.
  static std::optional<IpAddress> of(const sockaddr_storage& address);

  bool is_v4() const;
  const std::array<std::uint8_t, 16>& octets() const { return octets_; }
  /// "10.1.2.3", "2001:db8::1".
  std::string to_string() const;
  bool operator==(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> octets_{};
};

/// All addresses that begin with the same bits.
class IpNetwork {
 public:
  /// "10.0.0.0/8", "2001:db8::/32", "192.0.2.1" (that address alone). The error's text says what is wrong and, where
  /// bits stand beyond the prefix, which network was probably meant.
  static Result<IpNetwork> parse(std::string_view text);

  bool contains(const IpAddress& address) const;
  /// "10.0.0.0/8".
  std::string to_string() const;
  bool operator==(const IpNetwork&) const = default;

 private:
  IpNetwork(IpAddress first, unsigned bits) : first_(first), bits_(bits) {}
  bool is_v4() const { return bits_ >= 96 && first_.is_v4(); }

  IpAddress first_;
  unsigned bits_;  // of the IPv6 form: an IPv4 prefix length and 96
};

}  // namespace latchkey
