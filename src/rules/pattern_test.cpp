#include "rules/pattern.hpp"

#include <gtest/gtest.h>

namespace latchkey::rules {
namespace {

struct Row {
  std::string_view pattern, method, path;
  bool matches;
};

TEST(Pattern, IsATable) {
  for (const auto& row : std::vector<Row>{
           {"GET /a", "GET", "/a", true},           {"GET /a", "HEAD", "/a", true},
           {"GET /a", "POST", "/a", false},         {"GET /a", "get", "/a", false},
           {"GET /a", "GET", "/A", false},          {"GET /a", "GET", "/a/", false},
           {"GET /a", "GET", "/ab", false},         {"GET /a", "GET", "/", false},
           {"POST /a", "HEAD", "/a", false},        {"* /a", "PROPFIND", "/a", true},
           {"PROPFIND /a", "PROPFIND", "/a", true}, {"* /*", "GET", "/", true},
           {"* /*", "GET", "/a/b/c", true},         {"* /a/*", "GET", "/a/", true},
           {"* /a/*", "GET", "/a/b/c", true},       {"* /a/*", "GET", "/a", false},
           {"* /a/*", "GET", "/ab", false},         {"* /a*", "GET", "/a", true},
           {"* /a*", "GET", "/ab/c", true},         {"* /a*", "GET", "/b", false},
           {"* /*/b", "GET", "/a/b", true},         {"* /*/b", "GET", "/a/c/b", false},
           {"* /*/b", "GET", "/b", false},          {"* /a/*/c", "GET", "/a/b/c", true},
           {"* /a/*/c", "GET", "/a/b/c/", false},   {"* /a/*/c", "GET", "/a/b/d", false},
           {"* /a/*/c", "GET", "/a/b", false},      {"* /a/*/*/d", "GET", "/a/b/c/d", true},
           {"* /a/*/*", "GET", "/a/b/c/d", true},   {"* /a/*/*", "GET", "/a/b", false},
           {"* /a/*/*", "GET", "/a/b/", true},      {"* /caf\xc3\xa9", "GET", "/caf\xc3\xa9", true},
       }) {
    const auto pattern = Pattern::parse(row.pattern);
    ASSERT_TRUE(pattern) << row.pattern;
    EXPECT_EQ(pattern->matches(row.method, row.path), row.matches)
        << row.pattern << " | " << row.method << " " << row.path;
    EXPECT_EQ(pattern->to_string(), row.pattern);
  }
}

TEST(Pattern, IsForMethodsInCapitalLetters) {
  for (const std::string_view method : {"GET", "PROPFIND", "M-SEARCH", "VERSION-CONTROL", "A_B"}) {
    EXPECT_TRUE(is_matchable_method(method)) << method;
  }
  EXPECT_TRUE(is_matchable_method(std::string(max_method_bytes, 'A')));
  EXPECT_FALSE(is_matchable_method(std::string(max_method_bytes + 1, 'A')));
  for (const std::string_view method : {"", "get", "Get", "GEt", "*", "GET, DELETE", "DEL ETE", "GET\t", "G1"}) {
    EXPECT_FALSE(is_matchable_method(method)) << method;
  }
}

TEST(Pattern, SaysWhatIsWrong) {
  const auto why = [](std::string_view text) {
    const auto pattern = Pattern::parse(text);
    return pattern ? "nothing" : pattern.error().detail;
  };
  EXPECT_EQ(why("GET"), "match \"GET\" is not METHOD PATH, such as \"GET /v1/items/*\"");
  EXPECT_EQ(why("/a"), "match \"/a\" is not METHOD PATH, such as \"GET /v1/items/*\"");
  for (const auto& [text, part] :
       std::vector<std::pair<std::string_view, std::string_view>>{{"", "METHOD PATH"},
                                                                  {"GET  /a", "METHOD PATH"},
                                                                  {"GET /a b", "METHOD PATH"},
                                                                  {"GET a", "METHOD PATH"},
                                                                  {"get /a", "capital"},
                                                                  {"G*T /a", "capital"},
                                                                  {" /a", "capital"},
                                                                  {"GET,PUT /a", "capital"},
                                                                  {"HEAD /a", "covered by GET"},
                                                                  {"GET /a?x=1", "query"},
                                                                  {"GET /a%20b", "decoded"},
                                                                  {"GET /a//b", "ambiguous"},
                                                                  {"GET /a/../b", "ambiguous"},
                                                                  {"GET /a;b", "ambiguous"},
                                                                  {"GET /a*b", "whole segment"},
                                                                  {"GET /a*/b", "whole segment"},
                                                                  {"GET /*a", "whole segment"},
                                                                  {"GET /**", "whole segment"},
                                                                  {"GET /a#b", "ambiguous"}}) {
    EXPECT_NE(why(text).find(part), std::string::npos) << text << ": " << why(text);
  }
}

}  // namespace
}  // namespace latchkey::rules
