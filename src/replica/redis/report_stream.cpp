#include "replica/redis/report_stream.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace latchkey::replica::report_stream {
namespace {

// Release 0.1.0 writes the first ten, and takes no entry that has more.
constexpr std::array<std::string_view, 11> names{"i", "n", "p", "a", "x", "v", "m", "s", "r", "t", "k"};
constexpr std::size_t least_fields = 10;
constexpr std::size_t longest_field = 256;

/// A number in a field; `good` becomes false where there is none.
template <class Number>
Number number_in(const std::string& text, bool& good) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  good = good && error == std::errc() && end == text.data() + text.size();
  return number;
}

/// A later release may add more.
bool is_well_formed(const std::vector<redis::Reply>& fields) {
  if (fields.size() % 2 != 0 || fields.size() < 2 * least_fields) return false;
  for (std::size_t i = 0; i < std::min(names.size(), fields.size() / 2); ++i) {
    if (fields[2 * i].text != names[i] || !fields[2 * i + 1].is_string()) return false;
    if (fields[2 * i + 1].text.size() > longest_field) return false;
  }
  return true;
}

}  // namespace

std::vector<std::string> fields_of(const ReplicaReport& report) {
  const std::array<std::string, names.size()> values{report.id.to_string(),
                                                     std::to_string(report.number),
                                                     report.phase == Phase::stopped ? "1" : "0",
                                                     report.applied ? report.applied->to_string() : "",
                                                     std::to_string(report.applied_nonce.value),
                                                     std::to_string(report.view_age.count()),
                                                     std::to_string(report.max_staleness.count()),
                                                     std::to_string(report.started_at.count),
                                                     std::to_string(report.reported_at.count),
                                                     report.name.substr(0, longest_field),
                                                     std::to_string(report.understands)};
  std::vector<std::string> fields;
  for (std::size_t i = 0; i < names.size(); ++i) {
    fields.emplace_back(names[i]);
    fields.push_back(values[i]);
  }
  return fields;
}

std::optional<ReplicaReport> report_of(const std::vector<redis::Reply>& fields) {
  if (!is_well_formed(fields)) return std::nullopt;
  const auto value = [&](std::size_t i) -> const std::string& { return fields[2 * i + 1].text; };
  bool good = true;
  ReplicaReport report;
  const auto id = ReplicaId::parse(value(0));
  report.number = number_in<std::uint64_t>(value(1), good);
  report.phase = value(2) == "1" ? Phase::stopped : Phase::running;
  if (!value(3).empty()) report.applied = Position::parse(value(3));
  report.applied_nonce = {number_in<std::uint64_t>(value(4), good)};
  report.view_age = std::chrono::milliseconds(number_in<std::int64_t>(value(5), good));
  report.max_staleness = std::chrono::milliseconds(number_in<std::int64_t>(value(6), good));
  report.started_at.count = number_in<std::int64_t>(value(7), good);
  report.reported_at.count = number_in<std::int64_t>(value(8), good);
  report.name = value(9);
  if (fields.size() > 2 * least_fields) report.understands = number_in<std::uint32_t>(value(10), good);
  if (!id || !good || (!value(3).empty() && !report.applied)) return std::nullopt;
  report.id = *id;
  return checked(std::move(report));
}

}  // namespace latchkey::replica::report_stream
