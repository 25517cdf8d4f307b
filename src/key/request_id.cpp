#include "key/request_id.hpp"

#include <cstring>

#include "base/hex.hpp"

namespace latchkey {

std::optional<RequestId> RequestId::parse(std::string_view text) {
  if (text.size() != request_id_chars) return std::nullopt;
  std::array<std::uint64_t, 4> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto part = parse_hex(text.data() + 8 * i);
    if (!part) return std::nullopt;
    parts[i] = *part;
  }
  return RequestId{parts[0] << 32U | parts[1], parts[2] << 32U | parts[3]};
}

std::array<char, request_id_chars> text_of(const RequestId& id) {
  std::array<char, request_id_chars> text;
  const std::uint64_t parts[] = {id.high >> 32U, id.high, id.low >> 32U, id.low};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto digits = hex_digits(static_cast<std::uint32_t>(parts[i]));
    std::memcpy(text.data() + 8 * i, digits.data(), digits.size());
  }
  return text;
}

RequestIds::RequestIds(Random& random) {
  std::array<std::uint8_t, 16> octets;
  random.fill(octets);
  std::memcpy(&source_, octets.data(), 8);
  std::memcpy(&count_, octets.data() + 8, 8);
}

RequestId next_request_id() {
  thread_local RequestIds ids = [] {
    SystemRandom random;
    return RequestIds(random);
  }();
  return ids.next();
}

}  // namespace latchkey
