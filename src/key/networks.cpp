#include "key/networks.hpp"

#include "key/text_list.hpp"

namespace latchkey {

bool contains(const NetworkList& list, const std::optional<IpAddress>& address) {
  return address &&
         std::any_of(list.begin(), list.end(), [&](const IpNetwork& network) { return network.contains(*address); });
}

Result<NetworkList> read_networks(const json::value& array, std::string_view pointer) {
  return read_text_list<IpNetwork>(array, pointer, "networks", max_networks, IpNetwork::parse);
}

Result<NetworkList> parse_networks(std::string_view text) {
  if (text.size() > max_list_text_bytes) return Error::invalid("", "is too long for a list of networks");
  const auto value = parse_json(text);
  return value ? read_networks(*value, "") : value.error();
}

std::string networks_json(const NetworkList& list) {
  std::string out = "[";
  for (const auto& network : list) out += fmt::format("{}\"{}\"", out.size() > 1 ? "," : "", network.to_string());
  return out + ']';
}

}  // namespace latchkey
