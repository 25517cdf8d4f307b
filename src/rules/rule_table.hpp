#pragma once

// Access rules: what a request needs, by the operator's table in latchkey.toml.
//
//   [[rule]]
//   name = "reports"                     # a proxy location may ask for it by this name
//   match = "GET /reports/*"             # or the original request is matched; the first rule that matches counts
//   scope = "reports:read"               # or ["reports:read", "billing"]: all of them
//   cost = 5                             # of every limit of the key, 0 to 1,000,000; 1 where it is not said
//
//   [[rule]]
//   match = "* /status"
//   public = true                        # no key is asked for, and none is looked at
//
//   [[rule]]
//   match = "* /*"                       # the default; without it everything else is refused

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "rules/pattern.hpp"

namespace latchkey::rules {

struct Rule {
  std::string name;                // empty: it is found by `match` only
  std::optional<Pattern> match;    // none: it is found by name only
  std::vector<std::string> scope;  // RFC 6749 scope tokens; all are needed
  std::uint32_t cost = 1;
  bool is_public = false;
};

constexpr std::size_t max_rules = 1000;
constexpr std::size_t max_rule_name_bytes = 32;

/// `[a-z0-9-]{1,32}`.
bool is_rule_name(std::string_view text);

/// Immutable; any thread may read.
class RuleTable {
 public:
  /// No rules: everything is asked for a key, and for nothing else.
  RuleTable() = default;
  /// Refuses what cannot be meant: a rule without name and match, the same name twice, a public rule with a scope or a
  /// cost, a rule that stands behind one with the same match. Error::fields name the rule: "rule 3 (reports)".
  static Result<RuleTable> make(std::vector<Rule> rules);

  /// Whether the original request decides: some rule has a `match`.
  bool matches_requests() const { return matching_; }
  bool empty() const { return rules_.empty(); }
  std::size_t size() const { return rules_.size(); }

  /// Null: there is none of that name.
  const Rule* named(std::string_view name) const;

  /// `rule` is null where `ambiguous`, where no rule matches, and where is_matchable_method() does not hold.
  struct Found {
    const Rule* rule = nullptr;
    bool ambiguous = false;
  };
  /// The first rule for this request; `target` as sent, with its query. See request_path.hpp for what is ambiguous.
  Found find(std::string_view method, std::string_view target) const;

 private:
  std::vector<Rule> rules_;
  bool matching_ = false;
};

}  // namespace latchkey::rules
