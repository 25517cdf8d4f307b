#include "catalog/catalog.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/json.hpp"
#include "catalog/current_catalog.hpp"

namespace latchkey::catalog {
namespace {

constexpr std::string_view good_token =
    R"({"symbol":"ETH","name":"Ether","network":"Ethereum","contractAddress":null,"decimals":18,"website":"https://ethereum.org"})";

std::string catalog_of(std::string_view token) { return "{\"tokens\":[" + std::string(token) + "]}"; }

std::string replaced(std::string_view from, std::string_view to) {
  std::string token(good_token);
  return token.replace(token.find(from), from.size(), to);
}

std::string error_of(std::string_view text) {
  const auto catalog = Catalog::parse(text);
  return catalog ? "none" : catalog.error().detail;
}

TEST(Catalog, ServesWhatItReadInItsOwnOrderOfMembers) {
  const auto catalog = Catalog::parse(catalog_of(
      R"({"website":"https://ethereum.org","decimals":18,"contractAddress":null,"network":"Ethereum","name":"Ether","symbol":"ETH"})"));
  ASSERT_TRUE(catalog);
  EXPECT_EQ((*catalog)->find_json("ETH"), good_token);
  EXPECT_EQ((*catalog)->find_json("eth"), good_token);
  EXPECT_EQ((*catalog)->list_json(), catalog_of(good_token));
}

TEST(Catalog, UnknownSymbolsFindNothing) {
  for (const std::string_view symbol : {"", "NOPE", "ETH ", "%45TH", "AVERYLONGSYMBOLINDEED"}) {
    EXPECT_EQ(Catalog::built_in()->find_json(symbol), "") << symbol;
  }
}

TEST(Catalog, TheBuiltInOneIsWholeAndUseful) {
  const auto catalog = Catalog::built_in();
  EXPECT_GE(catalog->size(), 30U);
  const auto list = parse_json(catalog->list_json());
  ASSERT_TRUE(list);
  EXPECT_EQ(list->at("tokens").as_array().size(), catalog->size());
  const auto usdc = parse_json(catalog->find_json("USDC"));
  ASSERT_TRUE(usdc);
  EXPECT_EQ(usdc->at("decimals").as_int64(), 6);
  EXPECT_EQ(usdc->at("contractAddress").as_string(), "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
}

TEST(Catalog, ErrorsNameThePlace) {
  const std::vector<std::pair<std::string, std::string_view>> table = {
      {"", "the catalog"},
      {"[]", "the catalog"},
      {"{}", "the catalog"},
      {R"({"tokens":{}})", "the catalog"},
      {R"({"tokens":[],"more":1})", "the catalog"},
      {R"({"tokens":[],"tokens":[]})", "the catalog"},
      {R"({"tokens":[1]})", "/tokens/0:"},
      {catalog_of(std::string(good_token) + "," + std::string(good_token)), "/tokens/1/symbol:"},
      {catalog_of(replaced("\"ETH\"", "\"eth\"")), "/tokens/0/symbol:"},
      {catalog_of(replaced("\"ETH\"", "\"\"")), "/tokens/0/symbol:"},
      {catalog_of(replaced("\"ETH\"", "\"A/B\"")), "/tokens/0/symbol:"},
      {catalog_of(replaced("\"ETH\"", "\"ABCDEFGHIJKLMNOPQRSTU\"")), "/tokens/0/symbol:"},
      {catalog_of(replaced("\"Ether\"", R"("a\u0007")")), "/tokens/0/name:"},
      {catalog_of(replaced("\"Ethereum\"", "7")), "/tokens/0/network:"},
      {catalog_of(replaced("null", "\"0x 1\"")), "/tokens/0/contractAddress:"},
      {catalog_of(replaced("18", "-1")), "/tokens/0/decimals:"},
      {catalog_of(replaced("18", "37")), "/tokens/0/decimals:"},
      {catalog_of(replaced("18", "1.5")), "/tokens/0/decimals:"},
      {catalog_of(replaced("18", "99999999999999999999")), "/tokens/0/decimals:"},
      {catalog_of(replaced("https://ethereum.org", "javascript:alert(1)")), "/tokens/0/website:"},
      {catalog_of(replaced("https://ethereum.org", "https://")), "/tokens/0/website:"},
      {catalog_of(replaced("\"decimals\":18,", "")), "/tokens/0/decimals: is missing"},
      {catalog_of(replaced("\"decimals\"", "\"a/b\":1,\"decimals\"")), "/tokens/0/a~1b: is not known"},
      {std::string(max_catalog_bytes + 1, ' '), "the catalog: is over"},
  };
  for (const auto& [text, place] : table) {
    EXPECT_TRUE(error_of(text).starts_with(place)) << text.substr(0, 200) << "\n" << error_of(text);
  }
}

TEST(Catalog, IsBoundedInTokens) {
  const auto many = [](std::size_t count) {
    std::string text = "{\"tokens\":[";
    for (std::size_t i = 0; i < count; ++i) {
      text += (i > 0 ? "," : "") + replaced("\"ETH\"", "\"T" + std::to_string(i) + "\"");
    }
    return text + "]}";
  };
  EXPECT_EQ(error_of(many(max_tokens)), "none");
  EXPECT_TRUE(error_of(many(max_tokens + 1)).starts_with("/tokens:"));
}

TEST(CurrentCatalog, ABadFileKeepsTheOldCatalog) {
  const std::string path = std::filesystem::temp_directory_path() / ("catalog-" + std::to_string(::getpid()) + ".json");
  const auto write = [&](std::string_view text) { std::ofstream(path) << text; };
  CurrentCatalog holder(Catalog::built_in());
  const auto before = holder.current();
  write("{");
  EXPECT_EQ(holder.reload(path).error().code, ErrorCode::invalid);
  EXPECT_EQ(holder.current(), before);
  write(catalog_of(good_token));
  EXPECT_TRUE(holder.reload(path));
  EXPECT_EQ(holder.current()->size(), 1U);
  EXPECT_GE(before->size(), 30U);
  std::filesystem::remove(path);
  EXPECT_EQ(holder.reload(path).error().code, ErrorCode::not_found);
  EXPECT_EQ(holder.current()->size(), 1U);
}

}  // namespace
}  // namespace latchkey::catalog
