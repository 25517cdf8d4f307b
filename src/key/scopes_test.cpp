#include "key/scopes.hpp"

#include <gtest/gtest.h>

#include <map>

#include "key/networks.hpp"

namespace latchkey {
namespace {

TEST(Scopes, AListIsReadAndWrittenInOneForm) {
  for (const std::string text : {"[]", R"(["a"])", R"(["orders:read","reports:*","*","x!~]["])"}) {
    const auto list = parse_scopes(text);
    ASSERT_TRUE(list) << text;
    EXPECT_EQ(scopes_json(*list), text);
  }
  EXPECT_EQ(scopes_text(*parse_scopes(R"(["b","a"])")), "b a") << "in the order that was sent";
  EXPECT_EQ(scopes_text({}), "");
}

TEST(Scopes, WhatIsNoListIsRefusedWithThePlace) {
  const std::string longest(max_scope_bytes, 'x');
  const std::map<std::string, std::string> places = {
      {R"("a")", ""},
      {R"({"a":1})", ""},
      {R"([1])", "/0"},
      {R"(["a",""])", "/1"},
      {R"(["a b"])", "/0"},
      {R"(["a\"b"])", "/0"},
      {R"(["a\\b"])", "/0"},
      {R"(["a\u0007"])", "/0"},
      {R"(["ä"])", "/0"},
      {R"(["a","b","a"])", "/2"},
      {R"([")" + longest + R"(x"])", "/0"},
  };
  for (const auto& [text, place] : places) {
    const auto list = parse_scopes(text);
    ASSERT_FALSE(list) << text;
    ASSERT_EQ(list.error().fields.size(), 1U) << text;
    EXPECT_EQ(list.error().fields[0].pointer, place) << text;
  }
  EXPECT_FALSE(parse_scopes("["));
  EXPECT_FALSE(parse_scopes(std::string(5000, ' ') + "[]"));
}

std::string scopes_of_length(std::size_t count, std::size_t length) {
  std::string out = "[";
  for (std::size_t i = 0; i < count; ++i) {
    std::string scope = std::to_string(10 + i);
    scope.resize(length, 'x');
    out += (i == 0 ? "\"" : ",\"") + scope + '"';
  }
  return out + ']';
}

TEST(Scopes, AListIsBounded) {
  EXPECT_TRUE(parse_scopes(scopes_of_length(32, 31))) << "32 × 31 and 31 spaces are 1,023";
  EXPECT_FALSE(parse_scopes(scopes_of_length(32, 32)));
  EXPECT_FALSE(parse_scopes(scopes_of_length(33, 2)));
  const auto longest = parse_scopes(scopes_of_length(32, 31));
  EXPECT_LE(scopes_json(*longest).size(), max_scopes_json_bytes);
}

TEST(Scopes, AStarAtTheEndCoversAnyRest) {
  struct Case {
    ScopeList list;
    const char* scope;
    bool covered;
  };
  const Case cases[] = {
      {{}, "a", false},
      {{"a"}, "a", true},
      {{"a"}, "A", false},
      {{"a"}, "ab", false},
      {{"ab"}, "a", false},
      {{"a*"}, "a", true},
      {{"a*"}, "abc", true},
      {{"a*"}, "ba", false},
      {{"*"}, "anything", true},
      {{"a*c"}, "abc", false},
      {{"a*c"}, "a*c", true},
      {{"orders:*"}, "orders:*", true},
      {{"orders:read"}, "orders:*", false},
      {{"**"}, "*x", true},
      {{"**"}, "x", false},
      {{"x", "orders:*"}, "orders:read", true},
  };
  for (const auto& [list, scope, covered] : cases)
    EXPECT_EQ(covers(list, scope), covered) << scopes_text(list) << " " << scope;
}

TEST(Networks, AListIsReadInAnySpellingAndWrittenInOne) {
  const std::map<std::string, std::string> written = {
      {"[]", "[]"},
      {R"(["10.0.0.0/8","2001:DB8:0::/32"])", R"(["10.0.0.0/8","2001:db8::/32"])"},
      {R"(["192.0.2.1","::1"])", R"(["192.0.2.1/32","::1/128"])"},
      {R"(["::ffff:10.0.0.0/104"])", R"(["10.0.0.0/8"])"},
      {R"(["0.0.0.0/0","::/0"])", R"(["0.0.0.0/0","::/0"])"},
  };
  for (const auto& [sent, expected] : written) {
    const auto list = parse_networks(sent);
    ASSERT_TRUE(list) << sent;
    EXPECT_EQ(networks_json(*list), expected);
    EXPECT_EQ(*parse_networks(expected), *list);
  }
}

TEST(Networks, WhatIsNoListIsRefusedWithThePlace) {
  for (const std::string text :
       {R"(["10.0.0.1/8"])", R"(["10.0.0.0/33"])", R"(["10.0.0.0/-1"])", R"(["10.0.0/8"])", R"(["010.0.0.0/8"])",
        R"(["fe80::1%eth0"])", R"(["example.org"])", R"([""])", R"([7])", R"(["10.0.0.0/8 "])"}) {
    const auto list = parse_networks(text);
    ASSERT_FALSE(list) << text;
    EXPECT_EQ(list.error().fields.at(0).pointer, "/0") << text;
  }
  const auto twice = parse_networks(R"(["10.0.0.0/8","::ffff:10.0.0.0/104"])");
  ASSERT_FALSE(twice) << "the same network in another spelling";
  EXPECT_EQ(twice.error().fields.at(0).pointer, "/1");
  std::string many = "[";
  for (int i = 0; i < 33; ++i) many += (i == 0 ? "" : ",") + std::string("\"10.0.0.") + std::to_string(i) + '"';
  EXPECT_FALSE(parse_networks(many + ']'));
}

TEST(Networks, AnAddressThatNobodyKnowsIsInNone) {
  const NetworkList everywhere = *parse_networks(R"(["0.0.0.0/0","::/0"])");
  EXPECT_TRUE(contains(everywhere, IpAddress::parse("10.1.2.3")));
  EXPECT_TRUE(contains(everywhere, IpAddress::parse("2001:db8::1")));
  EXPECT_FALSE(contains(everywhere, std::nullopt));
  EXPECT_FALSE(contains({}, IpAddress::parse("10.1.2.3")));
  EXPECT_FALSE(contains(*parse_networks(R"(["::/0"])"), IpAddress::parse("::ffff:10.1.2.3"))) << "that is IPv4";
  EXPECT_TRUE(contains(*parse_networks(R"(["10.0.0.0/8"])"), IpAddress::parse("::ffff:10.1.2.3")));
}

}  // namespace
}  // namespace latchkey
