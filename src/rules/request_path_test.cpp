#include "rules/request_path.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace latchkey::rules {
namespace {

std::string path_of(std::string_view target) {
  std::string room;
  return std::string(unambiguous_path(target, room).value_or("ambiguous"));
}

TEST(RequestPath, IsDecodedOnceAndHasNoQuery) {
  for (const auto& [target, path] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"/", "/"},
           {"/a/b", "/a/b"},
           {"/a/b/", "/a/b/"},
           {"/a?x=/../;%2F%zz#", "/a"},
           {"/?", "/"},
           {"/caf%C3%A9", "/caf\xc3\xa9"},
           {"/caf%c3%a9", "/caf\xc3\xa9"},
           {"/%61dmin", "/admin"},
           {"/a%20b", "/a b"},
           {"/a%3Fb", "/a?b"},
           {"/a%23b", "/a#b"},
           {"/...", "/..."},
           {"/.a/..b/c.", "/.a/..b/c."},
           {"/\xff", "/\xff"},
       }) {
    EXPECT_EQ(path_of(target), path) << target;
  }
}

TEST(RequestPath, IsRefusedWhereServersMayDiffer) {
  for (const std::string_view target :
       {"",       "?",      "a",      "*",      "http://host/a", "//",     "//a",   "/a//b",     "/a//",    "/.",
        "/..",    "/./a",   "/a/.",   "/a/..",  "/a/../b",       "/a/./b", "/%2e",  "/%2E%2e/a", "/a/.%2e", "/a%2Fb",
        "/a%2fb", "/a%5Cb", "/a%5cb", "/a\\b",  "/a;b",          "/a%3Bb", "/a%25", "/a%252e",   "/a%",     "/a%1",
        "/a%zz",  "/a%0g",  "/a%00",  "/a%0Ab", "/a\x01",        "/a\x7f", "/a%7F", "/a#b",      "/#"}) {
    EXPECT_EQ(path_of(target), "ambiguous") << target;
  }
}

}  // namespace
}  // namespace latchkey::rules
