#include "replica/replica_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/printable.hpp"

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

std::optional<ReplicaReport> checked(ReplicaReport report) {
  constexpr std::chrono::milliseconds longest = std::chrono::days(100 * 366);  // of a setting (parse_duration())
  constexpr UnixMillis last_shown{253'402'300'799'999};                        // of the year 9999
  if (report.number > INT64_MAX) return std::nullopt;
  if (report.max_staleness <= std::chrono::milliseconds(0) || report.max_staleness > longest) return std::nullopt;
  report.name = printable(report.name);
  report.view_age = std::clamp(report.view_age, std::chrono::milliseconds(0), longest);
  report.understands = std::min<std::uint32_t>(report.understands, INT32_MAX);  // what a registry's column holds
  report.started_at = std::clamp(report.started_at, UnixMillis{0}, last_shown);
  report.reported_at = std::clamp(report.reported_at, UnixMillis{0}, last_shown);
  return report;
}

std::string ReplicaId::to_string() const {
  std::string text;
  for (const auto byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace latchkey::replica
