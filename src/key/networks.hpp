#pragma once

// From where a key may be used: IP networks, IPv4 and IPv6 (base/ip_address.hpp).
//
// No list at all is everywhere, an empty list is nowhere. A key's list stands in place of its plan's. An address that
// nobody knows is in no network.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/ip_address.hpp"
#include "base/json.hpp"

namespace latchkey {

constexpr std::size_t max_networks = 32;
/// No list in networks_json()'s form is longer.
constexpr std::size_t max_networks_json_bytes = 2048;

/// No network twice, in whatever spelling.
using NetworkList = std::vector<IpNetwork>;

bool contains(const NetworkList& list, const std::optional<IpAddress>& address);

/// Reads a JSON array of texts such as "10.0.0.0/8". ErrorCode::invalid names everything that is wrong, at pointers
/// below `pointer` ("/networks/0").
Result<NetworkList> read_networks(const json::value& array, std::string_view pointer);
/// The same of a text, as a database has it.
Result<NetworkList> parse_networks(std::string_view text);

/// `["10.0.0.0/8","2001:db8::/32"]`: the one text of a list.
std::string networks_json(const NetworkList& list);

}  // namespace latchkey
