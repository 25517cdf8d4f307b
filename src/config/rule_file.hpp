#pragma once

// The [[rule]] tables of a TOML file, which is latchkey.toml unless `rules` names another.

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "rules/rule_table.hpp"

namespace latchkey::config {

/// Of the file's text. Whatever else stands in it is not looked at. Error::fields name each rule and what is wrong with
/// it; `detail` is the first of them.
Result<rules::RuleTable> parse_rules(std::string_view toml);

/// Of a file; an empty name: no rules. The error's text names the file.
Result<rules::RuleTable> load_rules(const std::string& file);

}  // namespace latchkey::config
