#include "commands/precondition.hpp"

#include <algorithm>
#include <charconv>

namespace latchkey::commands {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// One form only: "042" is not the tag that we gave out.
std::optional<Version> version_of(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  if (tag.size() < 3 || tag.front() != '"' || tag.back() != '"') return std::nullopt;
  const std::string_view digits = tag.substr(1, tag.size() - 2);
  Version version;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version.value);
  if (error != std::errc() || stop != digits.data() + digits.size() || digits.front() == '0') return std::nullopt;
  return version;
}

}  // namespace

Precondition Precondition::from_etags(std::string_view list) {
  Precondition precondition;
  if (trimmed(list) == "*") return precondition;
  auto& versions = precondition.versions_.emplace();
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (const auto version = version_of(trimmed(list.substr(0, comma)))) versions.push_back(*version);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return precondition;
}

bool Precondition::holds(Version version) const {
  return !versions_ || std::find(versions_->begin(), versions_->end(), version) != versions_->end();
}

}  // namespace latchkey::commands
