#include "rules/rule_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "key/scopes.hpp"
#include "rules/request_path.hpp"

namespace latchkey::rules {
namespace {

/// Empty: nothing.
std::string wrong_with(const Rule& rule) {
  if (rule.name.empty() && !rule.match) return "needs a name or a match: nothing leads to it";
  if (!rule.name.empty() && !is_rule_name(rule.name)) return "name must be 1 to 32 of a-z, 0-9 and -";
  if (rule.scope.size() > max_scopes) return fmt::format("has more than {} scopes", max_scopes);
  if (!std::all_of(rule.scope.begin(), rule.scope.end(), is_scope)) {
    return fmt::format("scope must be 1 to {} visible ASCII characters without space, \" and \\", max_scope_bytes);
  }
  if (rule.is_public && !rule.scope.empty()) return "is public and asks for a scope: no key is looked at";
  if (rule.is_public && rule.cost != 1) return "is public and has a cost: no key is looked at";
  return {};
}

std::string place_of(const Rule& rule, std::size_t number) {
  return rule.name.empty() ? fmt::format("rule {}", number) : fmt::format("rule {} ({})", number, rule.name);
}

}  // namespace

bool is_rule_name(std::string_view text) {
  return !text.empty() && text.size() <= max_rule_name_bytes && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

Result<RuleTable> RuleTable::make(std::vector<Rule> rules) {
  Error error(ErrorCode::invalid, "the rules are not valid");
  std::set<std::string, std::less<>> names, matches;
  const auto complain = [&](std::size_t i, std::string why) {
    error.fields.push_back({place_of(rules[i], i + 1), std::move(why)});
  };
  if (rules.size() > max_rules) error.fields.push_back({"rule", fmt::format("are more than {}", max_rules)});
  for (std::size_t i = 0; i < rules.size() && i < max_rules; ++i) {
    const Rule& rule = rules[i];
    if (auto why = wrong_with(rule); !why.empty()) complain(i, std::move(why));
    if (!rule.name.empty() && !names.insert(rule.name).second) complain(i, "has the name of an earlier one");
    if (rule.match && !matches.insert(rule.match->to_string()).second) {
      complain(i, fmt::format("never counts: an earlier one has the same match \"{}\"", rule.match->to_string()));
    }
  }
  if (!error.fields.empty()) {
    error.detail = error.fields.front().pointer + " " + error.fields.front().detail;
    return error;
  }
  RuleTable table;
  table.matching_ = !matches.empty();
  table.rules_ = std::move(rules);
  return table;
}

const Rule* RuleTable::named(std::string_view name) const {
  if (name.empty()) return nullptr;
  const auto found = std::find_if(rules_.begin(), rules_.end(), [&](const Rule& rule) { return rule.name == name; });
  return found == rules_.end() ? nullptr : &*found;
}

RuleTable::Found RuleTable::find(std::string_view method, std::string_view target) const {
  if (!is_matchable_method(method)) return {};
  std::string room;
  const auto path = unambiguous_path(target, room);
  if (!path) return {nullptr, true};
  const auto found = std::find_if(rules_.begin(), rules_.end(),
                                  [&](const Rule& rule) { return rule.match && rule.match->matches(method, *path); });
  return {found == rules_.end() ? nullptr : &*found, false};
}

}  // namespace latchkey::rules
