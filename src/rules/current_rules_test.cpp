#include "rules/current_rules.hpp"

#include <gtest/gtest.h>

namespace latchkey::rules {
namespace {

RuleTable one(std::string name) {
  return RuleTable::make({Rule{.name = std::move(name), .match = std::nullopt, .scope = {}}}).value();
}

TEST(CurrentRules, KeepsATableForThoseThatStillReadIt) {
  CurrentRules rules;
  EXPECT_TRUE(rules.current().empty());
  BootTime now{1};
  rules.replace(one("a"), now);
  const RuleTable& held = rules.current();
  for (int i = 0; i < 5; ++i) rules.replace(one("b"), now = now + std::chrono::minutes(10));
  EXPECT_NE(held.named("a"), nullptr) << "50 minutes later";
  EXPECT_NE(rules.current().named("b"), nullptr);
}

TEST(CurrentRules, ForgetsOldTables) {
  CurrentRules rules;
  BootTime now{1};
  for (int i = 0; i < 1000; ++i) rules.replace(one("a"), now = now + std::chrono::minutes(10));
  EXPECT_LE(rules.kept(), 9U);
}

}  // namespace
}  // namespace latchkey::rules
