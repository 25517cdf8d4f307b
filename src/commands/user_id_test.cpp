#include "commands/user_id.hpp"

#include <gtest/gtest.h>

#include <string>

namespace latchkey::commands {
namespace {

TEST(UserId, OfANewRowIsInAnyScript) {
  for (const std::string_view id :
       {"alice", "a b", "...", "alice@example.org", "Zo\xc3\xab", "\xd0\x90\xd0\xbd\xd0\xbd\xd0\xb0",
        "\xe7\x8e\x8b\xe5\xb0\x8f\xe6\x98\x8e", "\xd9\x85\xd8\xad\xd9\x85\xd8\xaf",
        "\xe0\xa4\x95\xe0\xa5\x8d\xe0\xa4\xb7", "\xf0\x9f\x98\x80"}) {
    const auto checked = check_new_user_id(id);
    EXPECT_TRUE(checked) << id << ": " << checked.error().detail;
  }
  EXPECT_TRUE(check_new_user_id(std::string(128, 'x')));
}

TEST(UserId, OfANewRowHasNothingThatMisleads) {
  struct Case {
    std::string_view id, word;
  };
  for (const auto& [id, word] : {
           Case{"", "bytes"},
           Case{".", "path"},
           Case{"..", "path"},
           Case{"a\nb", "control"},
           Case{"a\x7f", "control"},
           Case{"\xc2\x85", "control"},
           Case{"\xff", "UTF-8"},
           Case{"\xed\xa0\x80", "UTF-8"},    // a surrogate
           Case{"\xc0\xaf", "UTF-8"},        // overlong
           Case{"Zoe\xcc\x88", "NFC"},       // e and a combining diaeresis
           Case{"\xe2\x84\xab", "NFC"},      // the Angstrom sign, which is the letter
           Case{"a\xe2\x80\x8d", "U+200D"},  // joiner
           Case{"\xef\xbb\xbf"
                "a",
                "U+FEFF"},  // byte order mark
           Case{"a\xe2\x80\xae"
                "b",
                "U+202E"},                       // right-to-left override
           Case{"a\xd8\x9c", "U+061C"},          // Arabic letter mark
           Case{"a\xe2\x80\xa8", "U+2028"},      // line separator
           Case{"\xcd\xb8", "U+0378"},           // unassigned
           Case{"\xef\xbf\xbf", "U+FFFF"},       // no character
           Case{"\xf3\xa0\x80\x81", "U+E0001"},  // language tag
       }) {
    const auto checked = check_new_user_id(id);
    ASSERT_FALSE(checked) << id;
    EXPECT_NE(checked.error().detail.find(word), std::string::npos) << checked.error().detail;
    EXPECT_EQ(checked.error().fields.at(0).pointer, "/userId");
  }
  std::string long_one;
  while (long_one.size() <= 128) long_one += "\xe7\x8e\x8b";
  EXPECT_FALSE(check_new_user_id(long_one)) << "128 bytes, not characters";
}

}  // namespace
}  // namespace latchkey::commands
