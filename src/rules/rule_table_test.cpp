#include "rules/rule_table.hpp"

#include <gtest/gtest.h>

namespace latchkey::rules {
namespace {

Rule rule(std::string name, std::string_view match = "", std::vector<std::string> scope = {}) {
  Rule made{.name = std::move(name), .match = std::nullopt, .scope = std::move(scope)};
  if (!match.empty()) made.match = Pattern::parse(match).value();
  return made;
}

TEST(RuleTable, TakesTheFirstThatMatches) {
  const auto table = RuleTable::make(
      {rule("status", "* /status"), rule("admin", "* /admin/*"), rule("read", "GET /*"), rule("by-name")});
  ASSERT_TRUE(table);
  EXPECT_TRUE(table->matches_requests());
  const auto name = [&](std::string_view method, std::string_view target) {
    const auto found = table->find(method, target);
    return found.ambiguous ? "ambiguous" : found.rule == nullptr ? "none" : found.rule->name;
  };
  EXPECT_EQ(name("GET", "/status"), "status");
  EXPECT_EQ(name("GET", "/admin/x?/status"), "admin");
  EXPECT_EQ(name("HEAD", "/admi%6E/x"), "admin");
  EXPECT_EQ(name("GET", "/else"), "read");
  EXPECT_EQ(name("POST", "/else"), "none");
  EXPECT_EQ(name("GET", "/status/../admin/x"), "ambiguous");
  EXPECT_EQ(name("GET", "//admin/x"), "ambiguous");
}

TEST(RuleTable, FindsByName) {
  const auto table = RuleTable::make({rule("a"), rule("", "* /x"), rule("b", "* /b")});
  EXPECT_EQ(table->named("b")->match->to_string(), "* /b");
  for (const std::string_view name : {"", "A", "c", "a ", "a/"}) EXPECT_EQ(table->named(name), nullptr) << name;
  EXPECT_FALSE(RuleTable::make({rule("a")})->matches_requests());
  EXPECT_FALSE(RuleTable().matches_requests());
}

TEST(RuleTable, RefusesWhatCannotBeMeant) {
  const auto why = [](std::vector<Rule> rules) {
    const auto table = RuleTable::make(std::move(rules));
    return table ? "nothing" : table.error().detail;
  };
  EXPECT_EQ(why({rule("")}), "rule 1 needs a name or a match: nothing leads to it");
  EXPECT_EQ(why({rule("a"), rule("b"), rule("a")}), "rule 3 (a) has the name of an earlier one");
  EXPECT_EQ(why({rule("a", "* /x"), rule("b", "* /x")}),
            "rule 2 (b) never counts: an earlier one has the same match \"* /x\"");
  EXPECT_NE(why({rule("A")}).find("a-z"), std::string::npos);
  EXPECT_NE(why({rule(std::string(33, 'a'))}).find("1 to 32"), std::string::npos);
  for (const std::string scope : {"", "a b", "a\"", "a\\", "\xc3\xa4"}) {
    EXPECT_NE(why({rule("a", "", {scope})}).find("scope must be"), std::string::npos) << scope;
  }
  EXPECT_NE(why({rule("a", "", {std::string(65, 'a')})}).find("1 to 64"), std::string::npos);
  EXPECT_NE(why({rule("a", "", std::vector<std::string>(33, "s"))}).find("more than 32"), std::string::npos);
  Rule open = rule("a", "", {"s"});
  open.is_public = true;
  EXPECT_NE(why({open}).find("no key is looked at"), std::string::npos);
  open = rule("a");
  open.is_public = true;
  open.cost = 2;
  EXPECT_NE(why({open}).find("no key is looked at"), std::string::npos);
  EXPECT_EQ(why(std::vector<Rule>(1001, rule("", "* /x"))).substr(0, 18), "rule are more than");
}

}  // namespace
}  // namespace latchkey::rules
