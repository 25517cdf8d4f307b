#include "commands/key_terms.hpp"

#include <fmt/format.h>

#include "commands/named_change.hpp"

namespace latchkey::commands {

Result<void> check_key_terms(store::Transaction& transaction, const AccessKey& key) {
  if (const auto plan = find_named_plan(transaction, key.plan); !plan) return plan.error();
  const auto terms = terms_of(transaction, key);
  if (!terms) return terms.error();
  if (terms->limits.size() > max_limits) {
    return Error::invalid("/limits",
                          fmt::format("has, with those of its plan and user, more than {} limits", max_limits));
  }
  if (!terms->limits.empty() || may_go_without(key)) return {};
  return Error::invalid("/requestsPerMinute",
                        "is required: neither the plan nor the user of this key gives it a limit; a key that needs "
                        "none says so with \"limits\": []");
}

}  // namespace latchkey::commands
