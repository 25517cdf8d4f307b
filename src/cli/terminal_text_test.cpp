#include "cli/terminal_text.hpp"

#include <gtest/gtest.h>

#include "cli/api.hpp"

namespace latchkey::cli {
namespace {

TEST(TerminalText, ReplacesWhatATerminalWouldObey) {
  struct Case {
    std::string_view text, shown;
  };
  for (const auto& [text, shown] : {
           Case{"", ""},
           Case{"CI job 7", "CI job 7"},
           Case{"\x1b[31m", "?[31m"},
           Case{"a\nb\x7f", "a?b?"},
           Case{std::string_view("\0", 1), "?"},
           Case{"\xc2\x80\xc2\x9b\xc2\x9f", "???"},                       // C1: U+009B is CSI
           Case{"\xc2\xa0\xc3\xa9", "\xc2\xa0\xc3\xa9"},                  // U+00A0 and beyond are text
           Case{"\xe2\x80\xa8\xe2\x80\xa9", "??"},                        // line and paragraph separator
           Case{"\xe2\x80\xaa\xe2\x80\xae", "??"},                        // embeddings and overrides
           Case{"\xe2\x81\xa6\xe2\x81\xa9", "??"},                        // isolates
           Case{"\xe2\x80\xa7\xe2\x80\xaf", "\xe2\x80\xa7\xe2\x80\xaf"},  // their neighbours
           Case{"\xe2\x81\xa5\xe2\x81\xaa", "\xe2\x81\xa5\xe2\x81\xaa"},
           Case{"\xc2", "\xc2"},  // cut short
           Case{"\xe2\x80", "\xe2\x80"},
       }) {
    EXPECT_EQ(escape_for_terminal(text), shown) << text;
  }
}

TEST(TerminalText, AProblemIsShownHarmless) {
  EXPECT_EQ(sentence_of_problem(409, R"({"detail":"no\u001b[2J"})"), "no?[2J (409)");
  EXPECT_EQ(
      sentence_of_problem(422, R"({"detail":"see errors","errors":[{"pointer":"/name","detail":"\u009b-\u202e"}]})"),
      "/name: ?-? (422)");
  EXPECT_EQ(sentence_of_problem(502, "\x1b[2J"), "the service answered with status 502");
}

}  // namespace
}  // namespace latchkey::cli
