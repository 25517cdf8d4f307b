#include "replica/replica_report.hpp"

#include <fmt/format.h>

#include <charconv>

namespace latchkey::replica {

ReplicaId ReplicaId::generate(Random& random) {
  ReplicaId id;
  random.fill(id.bytes);
  return id;
}

std::optional<ReplicaId> ReplicaId::parse(std::string_view text) {
  ReplicaId id;
  if (text.size() != 2 * id.bytes.size()) return std::nullopt;
  if (text.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, id.bytes[i], 16);
  }
  return id;
}

std::string ReplicaId::to_string() const {
  std::string text;
  for (const auto byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace latchkey::replica
