#include "key/labels.hpp"

#include <gtest/gtest.h>

#include <map>

#include "key/change_kind.hpp"
#include "key/selector.hpp"

namespace latchkey {
namespace {

TEST(Labels, AreReadAndWrittenByName) {
  const auto labels = parse_labels(R"({"team":"billing","app.example/env":"prod:eu-1","empty":""})");
  ASSERT_TRUE(labels);
  EXPECT_EQ(labels_json(*labels), R"({"app.example/env":"prod:eu-1","empty":"","team":"billing"})");
  EXPECT_EQ(labels_json({}), "{}");
}

TEST(Labels, WhatAreNoneAreRefusedWithThePlace) {
  const std::string longest(max_label_name_bytes, 'n');
  const std::map<std::string, std::string> places = {
      {"[]", ""},
      {"null", ""},
      {R"({"a":1})", "/a"},
      {R"({"a":null})", "/a"},
      {R"({"":"x"})", "/"},
      {R"({"-a":"x"})", "/-a"},
      {R"({"a/":"x"})", "/a~1"},
      {R"({"a b":"x"})", "/a b"},
      {R"({"a=b":"x"})", "/a=b"},
      {R"({"a":"x,y"})", "/a"},
      {R"({"a":"x y"})", "/a"},
      {R"({"a":"ü"})", "/a"},
      {"{\"" + longest + "n\":\"x\"}", "/" + longest + "n"},
      {R"({"a":")" + std::string(max_label_value_bytes + 1, 'v') + "\"}", "/a"},
  };
  for (const auto& [text, place] : places) {
    const auto labels = parse_labels(text);
    ASSERT_FALSE(labels) << text;
    ASSERT_EQ(labels.error().fields.size(), 1U) << text;
    EXPECT_EQ(labels.error().fields[0].pointer, place) << text;
  }
  EXPECT_TRUE(parse_labels("{\"" + longest + "\":\"x\"}"));
  std::string many = "{";
  for (char c = 'a'; c <= 'q'; ++c) many += (c == 'a' ? "\"" : ",\"") + std::string(1, c) + "\":\"\"";
  EXPECT_FALSE(parse_labels(many + '}')) << "17";
}

TEST(Selector, IsWrittenAsItWasRead) {
  for (const std::string text : {"team=x", "team=x,env!=prod", "!env", "env", "a=", "a!=", "a/b.c_d=x:y@z+1", "a=!"}) {
    const auto selector = parse_selector(text);
    if (text == "a=!") {
      EXPECT_FALSE(selector);
      continue;
    }
    ASSERT_TRUE(selector) << text << selector.error().detail;
    EXPECT_EQ(to_string(*selector), text);
  }
  EXPECT_EQ(to_string(*parse_selector(" team=x , !env ")), "team=x,!env");
}

TEST(Selector, WhatIsNoneIsRefusedAndShown) {
  for (const std::string text : {"", " ", ",", "team=x,", ",team=x", "=x", "!=x", "!", "!!a", "a==b", "a=b=c", "a!",
                                 "a b", "team in (x)", "a=ü", "a=b\n", "!a=b"}) {
    const auto selector = parse_selector(text);
    EXPECT_FALSE(selector) << text;
  }
  EXPECT_NE(parse_selector("team=x,b b").error().detail.find("\"b b\""), std::string::npos);
  std::string many = "a";
  for (int i = 0; i < 16; ++i) many += ",a";
  EXPECT_FALSE(parse_selector(many));
  EXPECT_TRUE(parse_selector(many.substr(2)));
}

TEST(Selector, AllConditionsMustHold) {
  struct Case {
    const char* selector;
    Labels labels;
    bool matches;
  };
  const Labels billing = {{"team", "billing"}, {"env", "prod"}};
  const Case cases[] = {
      {"team=billing", billing, true},
      {"team=Billing", billing, false},
      {"team=billing,env=prod", billing, true},
      {"team=billing,env!=prod", billing, false},
      {"env!=dev", billing, true},
      {"owner!=x", billing, false},  // it wants the label to be there
      {"owner", billing, false},
      {"team", billing, true},
      {"!owner", billing, true},
      {"!team", billing, false},
      {"!team", {}, true},
      {"team=", {{"team", ""}}, true},
      {"team=", billing, false},
      {"team=billing,team=other", billing, false},
  };
  for (const auto& [selector, labels, expected] : cases) {
    EXPECT_EQ(matches(*parse_selector(selector), labels), expected) << selector << " " << labels_json(labels);
  }
}

TEST(ChangeKind, IsThatOfTheNewestMemberOfTheRow) {
  AccessKey key;
  EXPECT_EQ(kind_of(key), 1U);
  key.plan = "pro";
  EXPECT_EQ(kind_of(key), 3U);
  for (const int member : {0, 1, 2}) {
    AccessKey ruled;
    if (member == 0) ruled.scopes = ScopeList{};
    if (member == 1) ruled.networks = NetworkList{};
    if (member == 2) ruled.labels = {{"a", ""}};
    EXPECT_EQ(kind_of(ruled), 4U) << member;
    EXPECT_EQ(has_terms(ruled), member < 2) << "no decision depends on labels";
  }
  Plan plan;
  EXPECT_EQ(kind_of(plan), 3U);
  plan.networks = NetworkList{};
  EXPECT_EQ(kind_of(plan), 4U);
  EXPECT_EQ(kind_of(User{}), 3U);
  EXPECT_EQ(kind_of(SigningKey{}), 1U);
}

}  // namespace
}  // namespace latchkey
