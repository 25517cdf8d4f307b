#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/metrics.hpp"
#include "config/settings.hpp"
#include "rules/current_rules.hpp"
#include "tokens_service/ruling.hpp"

namespace latchkey {

/// How proxies ask, by the settings.
Result<tokens_service::ForwardAuth> forward_auth(const config::Settings& settings);

/// The operator's rules: read at the start, and again when asked to. A table that cannot be read, and a file without
/// any, then leaves the one of before in force, says so and is counted.
class RuleSource {
 public:
  static Result<std::unique_ptr<RuleSource>> open(const config::Settings& settings, const Clock& clock,
                                                  Metrics& metrics);
  const rules::CurrentRules& rules() const { return rules_; }
  void read_again();

 private:
  RuleSource(std::string file, rules::RuleTable table, const Clock& clock, Metrics& metrics);

  const std::string file_;
  const Clock& clock_;
  rules::CurrentRules rules_;
  Counter& errors_;
};

}  // namespace latchkey
