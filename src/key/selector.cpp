#include "key/selector.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/shown.hpp"

namespace latchkey {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

LabelRequirement requirement_of(std::string_view text) {
  if (text.starts_with('!')) return {std::string(text.substr(1)), LabelCondition::absent, {}};
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return {std::string(text), LabelCondition::present, {}};
  const bool differs = equals > 0 && text[equals - 1] == '!';
  return {std::string(text.substr(0, differs ? equals - 1 : equals)),
          differs ? LabelCondition::differs : LabelCondition::equals, std::string(text.substr(equals + 1))};
}

bool holds(const LabelRequirement& requirement, const Labels& labels) {
  const auto found = labels.find(requirement.name);
  const bool there = found != labels.end();
  switch (requirement.condition) {
    case LabelCondition::equals:
      return there && found->second == requirement.value;
    case LabelCondition::differs:
      return there && found->second != requirement.value;
    case LabelCondition::present:
      return there;
    case LabelCondition::absent:
      return !there;
  }
  return false;
}

}  // namespace

Result<Selector> parse_selector(std::string_view text) {
  Selector selector;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    const std::string_view part = trimmed(text.substr(begin, comma - begin));
    auto requirement = requirement_of(part);
    if (!is_label_name(requirement.name) || !is_label_value(requirement.value)) {
      return Error(ErrorCode::invalid,
                   fmt::format("must be conditions such as team=billing,env!=prod,!legacy; {} is none", shown(part)));
    }
    selector.push_back(std::move(requirement));
    begin = comma + 1;
  }
  if (selector.size() > max_requirements) {
    return Error(ErrorCode::invalid, fmt::format("must have at most {} conditions", max_requirements));
  }
  return selector;
}

bool matches(const Selector& selector, const Labels& labels) {
  return std::all_of(selector.begin(), selector.end(),
                     [&](const LabelRequirement& requirement) { return holds(requirement, labels); });
}

bool wants_labels(const Selector& selector) {
  return std::any_of(selector.begin(), selector.end(), [](const LabelRequirement& requirement) {
    return requirement.condition != LabelCondition::absent;
  });
}

std::string to_string(const Selector& selector) {
  std::string out;
  for (const auto& requirement : selector) {
    if (!out.empty()) out += ',';
    switch (requirement.condition) {
      case LabelCondition::equals:
        out += requirement.name + '=' + requirement.value;
        break;
      case LabelCondition::differs:
        out += requirement.name + "!=" + requirement.value;
        break;
      case LabelCondition::present:
        out += requirement.name;
        break;
      case LabelCondition::absent:
        out += '!' + requirement.name;
        break;
    }
  }
  return out;
}

}  // namespace latchkey
