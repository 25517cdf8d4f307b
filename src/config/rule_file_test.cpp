#include "config/rule_file.hpp"

#include <gtest/gtest.h>

namespace latchkey::config {
namespace {

TEST(RuleFile, IsReadWithWhatStandsAroundIt) {
  const auto table = parse_rules(R"(
keys_listen = "127.0.0.1:7070"
[[rule]]
name = "reports"
match = "GET /reports/*"
scope = "reports:read billing"
cost = 1
[[rule]]
match = "* /status"
public = true
[[rule]]
name = "all"
match = "* /*"
scope = ["a", "b"]
)");
  ASSERT_TRUE(table) << table.error().detail;
  EXPECT_EQ(table->size(), 3U);
  EXPECT_EQ(table->named("reports")->scope, (std::vector<std::string>{"reports:read", "billing"}));
  EXPECT_EQ(table->named("all")->scope, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(table->find("GET", "/status").rule->is_public);
  EXPECT_TRUE(parse_rules("")->empty());
  EXPECT_TRUE(load_rules("")->empty());
}

TEST(RuleFile, SaysWhatIsWrongAndWhere) {
  const auto why = [](std::string_view text) {
    const auto table = parse_rules(text);
    return table ? "nothing" : table.error().detail;
  };
  EXPECT_EQ(why("[[rule]]\nname = \"a\"\nscop = \"x\""),
            "rule 1 (a) has no member \"scop\": there are name, match, scope, cost and public");
  EXPECT_EQ(why("[[rule]]\nname = \"a\"\ncost = 1000001"), "rule 1 (a) cost must be a whole number from 0 to 1000000");
  EXPECT_NE(why("[[rule]]\nname = \"a\"\ncost = -1").find("from 0 to 1000000"), std::string::npos);
  EXPECT_NE(why("[[rule]]\nname = \"a\"\ncost = 1.5").find("whole number"), std::string::npos);
  EXPECT_NE(why("[[rule]]\nname = 7").find("strings"), std::string::npos);
  EXPECT_NE(why("[[rule]]\nmatch = \"GET a\"").find("METHOD PATH"), std::string::npos);
  EXPECT_NE(why("[[rule]]\nname = \"a\"\nscope = []").find("not empty"), std::string::npos);
  EXPECT_NE(why("[[rule]]\nname = \"a\"\nscope = [1]").find("list of strings"), std::string::npos);
  EXPECT_NE(why("[[rule]]\nname = \"a\"\nscope = \"a  b\"").find("scope must be"), std::string::npos);
  EXPECT_NE(why("[[rule]]\nname = \"a\"\npublic = 1").find("true or false"), std::string::npos);
  EXPECT_NE(why("[rule]\nname = \"a\"").find("two brackets"), std::string::npos);
  EXPECT_NE(why("rule = [1]").find("[[rule]]"), std::string::npos);
  EXPECT_NE(why("[[rule]]\n[[rule").find("line 2"), std::string::npos);
  EXPECT_EQ(why("keys_listen = \"127.0.0.1:7070\"\n[[rules]]\nname = \"a\""),
            "line 2: \"rules\" is no plain setting, and rules are written as [[rule]]");
  EXPECT_NE(why("[[Rule]]\nname = \"a\"").find("[[rule]]"), std::string::npos);
  EXPECT_NE(why("name = \"a\"").find("\"name\" is no plain setting"), std::string::npos);
  EXPECT_NE(why("[[rule]]").find("needs a name or a match"), std::string::npos);
  EXPECT_NE(load_rules("/nowhere/rules.toml").error().detail.find("/nowhere/rules.toml"), std::string::npos);
}

TEST(RuleFile, ReadsACostAtItsBounds) {
  for (const std::uint32_t cost : {0U, 1U, 7U, 1'000'000U}) {
    const auto table = parse_rules("[[rule]]\nname = \"a\"\ncost = " + std::to_string(cost));
    ASSERT_TRUE(table);
    EXPECT_EQ(table->named("a")->cost, cost);
  }
}

TEST(RuleFile, NamesEveryRuleThatIsWrong) {
  const auto table = parse_rules("[[rule]]\nname = 7\n[[rule]]\nname = \"b\"\nx = 1\ncost = -2");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().fields.size(), 3U);
}

}  // namespace
}  // namespace latchkey::config
