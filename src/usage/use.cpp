#include "usage/use.hpp"

#include <fmt/format.h>

namespace latchkey::usage {

AddressPrefix AddressPrefix::of(const IpAddress& address) {
  AddressPrefix prefix;
  prefix.is_v4 = address.is_v4();
  const auto& octets = address.octets();
  if (prefix.is_v4) {
    std::memcpy(prefix.octets.data(), octets.data() + 12, 3);
  } else {
    std::memcpy(prefix.octets.data(), octets.data(), 6);
  }
  return prefix;
}

std::string AddressPrefix::to_string() const {
  if (!is_known()) return {};
  if (is_v4) return fmt::format("{}.{}.{}.0/24", octets[0], octets[1], octets[2]);
  const auto group = [&](std::size_t i) { return octets[2 * i] << 8 | octets[2 * i + 1]; };
  if (group(2) != 0) return fmt::format("{:x}:{:x}:{:x}::/48", group(0), group(1), group(2));
  return group(1) != 0 ? fmt::format("{:x}:{:x}::/48", group(0), group(1)) : fmt::format("{:x}::/48", group(0));
}

}  // namespace latchkey::usage
