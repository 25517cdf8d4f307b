#include "config/rule_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/regular_file.hpp"
#include "base/shown.hpp"
#include "config/settings.hpp"

namespace latchkey::config {
namespace {

constexpr std::size_t max_rule_file_bytes = 1U << 20U;
constexpr std::int64_t max_cost = 1'000'000;

/// Words: RFC 6749 writes several scopes with spaces between.
void add_scopes(std::vector<std::string>& scopes, std::string_view text) {
  for (;;) {
    const auto space = text.find(' ');
    scopes.emplace_back(text.substr(0, space));
    if (space == std::string_view::npos) return;
    text.remove_prefix(space + 1);
  }
}

/// Reads one rule's members; each gives what is wrong, or "".
class RuleReader {
 public:
  std::string take(std::string_view name, const toml::node& node) {
    if (name == "name") return text(node, [this](std::string value) { return rule_.name = std::move(value), ""; });
    if (name == "match") return text(node, [this](const std::string& value) { return take_match(value); });
    if (name == "scope") return take_scope(node);
    if (name == "cost") return take_cost(node);
    if (name == "public") {
      if (const auto* flag = node.as_boolean()) return rule_.is_public = flag->get(), "";
      return "public must be true or false";
    }
    return fmt::format("has no member {}: there are name, match, scope, cost and public", shown(name));
  }
  rules::Rule& rule() { return rule_; }

 private:
  template <class Take>
  static std::string text(const toml::node& node, Take take) {
    const auto* value = node.as_string();
    return value == nullptr ? "name and match must be strings" : std::string(take(value->get()));
  }

  std::string take_match(const std::string& value) {
    auto pattern = rules::Pattern::parse(value);
    if (!pattern) return pattern.error().detail;
    rule_.match = std::move(*pattern);
    return {};
  }

  std::string take_scope(const toml::node& node) {
    if (const auto* value = node.as_string()) return add_scopes(rule_.scope, value->get()), "";
    const auto* list = node.as_array();
    if (list == nullptr || list->empty()) return "scope must be a string, or a list of strings that is not empty";
    for (const auto& each : *list) {
      const auto* value = each.as_string();
      if (value == nullptr) return "scope must be a string or a list of strings";
      rule_.scope.push_back(value->get());
    }
    return {};
  }

  std::string take_cost(const toml::node& node) {
    const auto* value = node.as_integer();
    if (value == nullptr || value->get() < 0 || value->get() > max_cost) {
      return fmt::format("cost must be a whole number from 0 to {}", max_cost);
    }
    rule_.cost = static_cast<std::uint32_t>(value->get());
    return {};
  }

  rules::Rule rule_;
};

std::string place_of(const rules::Rule& rule, std::size_t number) {
  return rules::is_rule_name(rule.name) ? fmt::format("rule {} ({})", number, rule.name)
                                        : fmt::format("rule {}", number);
}

Error first_of(std::vector<FieldError> fields) {
  Error error(ErrorCode::invalid, fields.front().pointer + " " + fields.front().detail);
  error.fields = std::move(fields);
  return error;
}

Result<rules::RuleTable> table_of(const toml::array& list) {
  std::vector<rules::Rule> read;
  std::vector<FieldError> wrong;
  for (const auto& node : list) {
    const auto* table = node.as_table();
    if (table == nullptr) return Error(ErrorCode::invalid, "rules are written as [[rule]]");
    RuleReader reader;
    std::vector<std::string> complaints;
    for (const auto& [name, member] : *table) {
      if (auto why = reader.take(name.str(), member); !why.empty()) complaints.push_back(std::move(why));
    }
    for (auto& why : complaints) wrong.push_back({place_of(reader.rule(), read.size() + 1), std::move(why)});
    read.push_back(std::move(reader.rule()));
  }
  if (!wrong.empty()) return first_of(std::move(wrong));
  return rules::RuleTable::make(std::move(read));
}

/// A name that is written wrong, such as [[rules]], must not pass as "there are no rules".
Result<void> check_names(const toml::table& table) {
  const auto& settings = setting_specs();
  for (const auto& [name, node] : table) {
    const std::string_view text = name.str();
    const auto is_it = [&](const SettingSpec& spec) { return spec.name == text; };
    const bool is_plain = !node.is_table() && !node.is_array();
    if (text == "rule" || (is_plain && std::any_of(settings.begin(), settings.end(), is_it))) continue;
    return Error(ErrorCode::invalid, fmt::format("line {}: {} is no plain setting, and rules are written as [[rule]]",
                                                 name.source().begin.line, shown(text)));
  }
  return {};
}

}  // namespace

Result<rules::RuleTable> parse_rules(std::string_view toml) {
  try {
    const toml::table table = toml::parse(toml);
    if (auto known = check_names(table); !known) return known.error();
    const auto* node = table.get("rule");
    if (node == nullptr) return rules::RuleTable();
    const auto* list = node->as_array();
    if (list == nullptr) return Error(ErrorCode::invalid, "rules are written as [[rule]], in two brackets");
    return table_of(*list);
  } catch (const toml::parse_error& error) {
    return Error(ErrorCode::invalid, fmt::format("line {}: {}", error.source().begin.line, error.description()));
  }
}

Result<rules::RuleTable> load_rules(const std::string& file) {
  if (file.empty()) return rules::RuleTable();
  const auto text = read_regular(file, max_rule_file_bytes, Links::follow);
  if (!text) return text.error();
  auto table = parse_rules(*text);
  if (table) return table;
  Error error = table.error();
  error.detail = file + ": " + error.detail;
  for (auto& field : error.fields) field.pointer = fmt::format("{}: {}", file, field.pointer);
  return error;
}

}  // namespace latchkey::config
