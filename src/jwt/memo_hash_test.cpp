#include "jwt/memo_hash.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/hex.hpp"

namespace latchkey::jwt {
namespace {

Block block_of(std::string_view hex) {
  std::array<std::uint8_t, 16> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) {
    octets[i] = static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(2 * i, 2)), nullptr, 16));
  }
  Block block{};
  std::memcpy(block.data(), octets.data(), sizeof block);
  return block;
}

TEST(MemoHash, IsPolyvalAsInTheAppendixOfRfc8452) {
  if (!memo_hash_is_keyed()) GTEST_SKIP() << "no carry-less multiplication here";
  const Block point = block_of("25629347589242761d31f826ba4b757b");
  const std::vector<Block> blocks = {block_of("4f4f95668c83dfb6401762bb2d01a262"),
                                     block_of("d1a24ddd2721d006bbe45f20d3c9f362")};
  EXPECT_EQ(polyval(point, blocks), block_of("f7a3b47b846119fae5b7866cf5e5b77e"));
}

// Eight blocks at a time give what one after the other do: the sum so far is added to the first of the next.
TEST(MemoHash, OfManyBlocksIsThatOfOneAfterTheOther) {
  if (!memo_hash_is_keyed()) GTEST_SKIP() << "no carry-less multiplication here";
  std::mt19937_64 random(7);
  for (std::size_t n = 1; n < 40; ++n) {
    const Block point{random(), random()};
    std::vector<Block> blocks(n);
    for (auto& block : blocks) block = {random(), random()};
    Block sum{};
    for (const Block& block : blocks) {
      const Block next{sum[0] ^ block[0], sum[1] ^ block[1]};
      sum = polyval(point, std::span(&next, 1));
    }
    EXPECT_EQ(polyval(point, blocks), sum) << n;
  }
}

TEST(MemoHash, TellsEveryLengthAndEveryOctetApart) {
  std::set<std::array<std::uint64_t, 2>> seen;
  std::size_t count = 0;
  const auto add = [&](const std::string& token) {
    seen.insert(memo_hash_of(token).words);
    ++count;
  };
  for (std::size_t size = 0; size <= 4096; size += size < 300 ? 1 : 61) add(std::string(size, '\0'));
  const std::string token(353, 'a');
  for (std::size_t at = 0; at < token.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string other = token;
      other[at] = static_cast<char>(other[at] ^ (1 << bit));
      add(other);
    }
  }
  EXPECT_EQ(seen.size(), count);
}

TEST(MemoHash, IsTheSameWhereverTheTokenLies) {
  const std::string token = "abcdefghijklmnopqrstuvwxyz0123456789";
  const auto expected = memo_hash_of(token);
  for (std::size_t shift = 0; shift < 40; ++shift) {
    const std::string moved = std::string(shift, 'x') + token + "yyyy";
    EXPECT_EQ(memo_hash_of(std::string_view(moved).substr(shift, token.size())), expected);
  }
}

}  // namespace
}  // namespace latchkey::jwt
