#pragma once

// Which keys, by their labels: conditions that all hold.
//
//   team=billing,env!=prod,!legacy,owner     team is billing; env is there and is not prod; legacy is not there; owner is

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "key/labels.hpp"

namespace latchkey {

enum class LabelCondition : std::uint8_t { equals, differs, present, absent };

struct LabelRequirement {
  std::string name;
  LabelCondition condition = LabelCondition::present;
  std::string value;  // with equals and differs
  bool operator==(const LabelRequirement&) const = default;
};

inline bool has_value(const LabelRequirement& requirement) {
  return requirement.condition == LabelCondition::equals || requirement.condition == LabelCondition::differs;
}

constexpr std::size_t max_requirements = 16;

/// Never empty when it was parsed.
using Selector = std::vector<LabelRequirement>;

/// Names and values keep the rules of key/labels.hpp; spaces around a condition do not count. ErrorCode::invalid with a
/// detail that shows the condition that is wrong.
Result<Selector> parse_selector(std::string_view text);

bool matches(const Selector& selector, const Labels& labels);
/// Whether it asks for any label to be there, so that keys without labels cannot match.
bool wants_labels(const Selector& selector);

/// `team=billing,env!=prod`: the one text of a selector.
std::string to_string(const Selector& selector);

}  // namespace latchkey
