#include "base/ip_address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/shown.hpp"

namespace latchkey {
namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

using Octets = std::array<std::uint8_t, 16>;

Octets mapped(const in_addr& v4) {
  Octets octets{};
  std::copy(v4_prefix.begin(), v4_prefix.end(), octets.begin());
  std::memcpy(octets.data() + v4_prefix.size(), &v4, sizeof v4);
  return octets;
}

/// Whether the first `bits` bits are the same.
bool begin_alike(const Octets& a, const Octets& b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || (static_cast<unsigned>(a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

Octets without_host_bits(Octets octets, unsigned bits) {
  for (unsigned i = 0; i < octets.size(); ++i) {
    const unsigned kept = std::min(bits > i * 8 ? bits - i * 8 : 0, 8U);
    octets[i] = static_cast<std::uint8_t>(octets[i] & (0xff00U >> kept));
  }
  return octets;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN] = {};
  if (text.size() >= sizeof buffer || text.contains('\0')) return std::nullopt;
  std::copy(text.begin(), text.end(), buffer);
  IpAddress address;
  in_addr v4{};
  if (::inet_pton(AF_INET, buffer, &v4) == 1) {
    address.octets_ = mapped(v4);
    return address;
  }
  if (::inet_pton(AF_INET6, buffer, address.octets_.data()) != 1) return std::nullopt;
  return address;
}

std::optional<IpAddress> IpAddress::of(const sockaddr_storage& address) {
  IpAddress found;
  if (address.ss_family == AF_INET) {
    found.octets_ = mapped(reinterpret_cast<const sockaddr_in&>(address).sin_addr);
    return found;
  }
  if (address.ss_family != AF_INET6) return std::nullopt;
  std::memcpy(found.octets_.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, found.octets_.size());
  return found;
}

bool IpAddress::is_v4() const { return std::equal(v4_prefix.begin(), v4_prefix.end(), octets_.begin()); }

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN] = {};
  const bool v4 = is_v4();
  const void* const bytes = octets_.data() + (v4 ? v4_prefix.size() : 0);
  return ::inet_ntop(v4 ? AF_INET : AF_INET6, bytes, text, sizeof text) == nullptr ? "?" : text;
}

Result<IpNetwork> IpNetwork::parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return Error(ErrorCode::invalid, fmt::format("{} {}", shown(text), why));
  };
  const auto slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  const auto address = IpAddress::parse(host);
  if (!address) return wrong("is not an address or network such as 10.0.0.0/8 or 2001:db8::/32");
  const unsigned most = host.contains(':') ? 128 : 32;
  unsigned length = most;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    const bool spelled = failed == std::errc() && end == digits.data() + digits.size() && !digits.starts_with('+');
    if (!spelled || length > most) return wrong(fmt::format("needs a prefix length from 0 to {} behind the /", most));
  }
  const unsigned bits = length + 128 - most;
  const Octets start = without_host_bits(address->octets(), bits);
  if (start != address->octets()) {
    char meant[INET6_ADDRSTRLEN] = {};
    const bool v4 = most == 32;
    ::inet_ntop(v4 ? AF_INET : AF_INET6, start.data() + (v4 ? v4_prefix.size() : 0), meant, sizeof meant);
    return wrong(fmt::format("has bits beyond its prefix: {}/{} is that network", meant, length));
  }
  return IpNetwork(*address, bits);
}

bool IpNetwork::contains(const IpAddress& address) const {
  return is_v4() == address.is_v4() && begin_alike(first_.octets(), address.octets(), bits_);
}

std::string IpNetwork::to_string() const {
  return fmt::format("{}/{}", first_.to_string(), is_v4() ? bits_ - 96 : bits_);
}

}  // namespace latchkey
