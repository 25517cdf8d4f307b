#include "cli/key_id_argument.hpp"

#include <gtest/gtest.h>

#include <map>

namespace latchkey::cli {
namespace {

TEST(ShortId, IsSpeltAsTheIdIs) {
  const std::map<std::string, std::optional<std::string>> read = {
      {"0198b2c4", "0198b2c4"},
      {"0198B2C4", "0198b2c4"},
      {"0198b2c47d3e", "0198b2c4-7d3e"},
      {"0198b2c4-7", "0198b2c4-7"},
      {"0198b2c4-", "0198b2c4"},
      {"0198b2c47d3e7a619c550e1f2a3b4c5d", "0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d"},
      {"0198b2c47d3e7a619c550e1f2a3b4c5d0", std::nullopt},
      {"0198b2c", std::nullopt},
      {"0198b2-", std::nullopt},
      {"0198b2cg", std::nullopt},
      {"", std::nullopt},
      {"not an id", std::nullopt},
  };
  for (const auto& [text, id] : read) EXPECT_EQ(short_id_of(text), id) << text;
}

TEST(ShortId, TheIdBeforeStandsBeforeAllThatBeginSo) {
  for (const char* text : {"0198b2c4", "0198b2c4-7d3e", "0198b2c4-7d3e-7a61-9c", "00000000-0001", "ffffffff"}) {
    const auto before = id_before(text);
    ASSERT_TRUE(before) << text;
    EXPECT_LT(before->to_string().substr(0, std::string_view(text).size()), text);
    EXPECT_TRUE(KeyId::parse(before->to_string())) << text;
  }
  EXPECT_EQ(id_before("00000000"), std::nullopt);
  EXPECT_EQ(id_before("0198b2c4-7d3e-4"), std::nullopt) << "no key of ours: another version";
}

}  // namespace
}  // namespace latchkey::cli
