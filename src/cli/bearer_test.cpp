#include "cli/bearer.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace latchkey::cli {
namespace {

TEST(Bearer, IsOneWordWithoutItsLineEnd) {
  EXPECT_EQ(bearer_of("abc.def-_~\r\n", "file").value().reveal(), "abc.def-_~");
  for (const std::string& text : std::vector<std::string>{"", "\n", "two words", "two\nlines\n", "\x7f", "\xc3\xa9",
                                                          std::string("cut\0here", 8)}) {
    const auto bearer = bearer_of(text, "file");
    ASSERT_FALSE(bearer) << text;
    EXPECT_EQ(bearer.error().detail, "file: not a token, which is one word of visible characters");
  }
}

}  // namespace
}  // namespace latchkey::cli
