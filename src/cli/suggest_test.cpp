#include "cli/suggest.hpp"

#include <gtest/gtest.h>

namespace latchkey::cli {
namespace {

TEST(Suggest, TheNearestNameThatIsThere) {
  CLI::App app;
  app.add_subcommand("key")->add_subcommand("rotate")->add_option("--grace");
  app.add_subcommand("tokens");
  struct Case {
    const char* typed;
    const char* meant;
  };
  for (const auto& [typed, meant] :
       {Case{"kye", "key"}, Case{"ekys", ""}, Case{"keys", "key"}, Case{"tokns", "tokens"}, Case{"tokesn", "tokens"},
        Case{"rotaet", "rotate"}, Case{"--garce", "--grace"}, Case{"key", ""}, Case{"xyz", ""}, Case{"k", ""}}) {
    EXPECT_EQ(suggest(app, typed), meant) << typed;
  }
}

}  // namespace
}  // namespace latchkey::cli
