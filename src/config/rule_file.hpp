#pragma once

// The [[rule]] tables of a TOML file, which is latchkey.toml unless `rules` names another.

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "rules/rule_table.hpp"

namespace latchkey::config {

/// Of the file's text. Settings may stand beside them and are not looked at; any other name is an error. Error::fields name each rule and what is wrong with
/// it; `detail` is the first of them.
Result<rules::RuleTable> parse_rules(std::string_view toml);

/// Of a file; an empty name: no rules. The error's text names the file.
Result<rules::RuleTable> load_rules(const std::string& file);

}  // namespace latchkey::config
