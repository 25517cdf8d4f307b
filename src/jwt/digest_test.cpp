#include "jwt/digest.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <cstring>
#include <string>
#include <thread>

namespace latchkey::jwt {
namespace {

TEST(TokenDigest, IsTheFirstHalfOfSha256) {
  // FIPS 180-2, B.1: "abc"
  const std::array<std::uint8_t, 16> expected = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                                 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23};
  const auto digest = digest_of("abc");
  EXPECT_EQ(std::memcmp(digest.words.data(), expected.data(), expected.size()), 0);
  EXPECT_FALSE(digest.empty());
  EXPECT_TRUE(TokenDigest{}.empty());
}

TEST(TokenDigest, IsThatForEveryLengthAndBeginning) {
  for (std::size_t length = 0; length < 400; ++length) {
    for (const char letter : {'a', 'b'}) {  // in turns: what is kept of the one's beginning is of no use to the other
      const std::string text = std::string(length, letter) + "end";
      std::array<unsigned char, 32> expected{};
      ASSERT_EQ(EVP_Q_digest(nullptr, "SHA256", nullptr, text.data(), text.size(), expected.data(), nullptr), 1);
      const auto digest = digest_of(text);
      ASSERT_EQ(std::memcmp(digest.words.data(), expected.data(), sizeof digest.words), 0) << text;
    }
  }
}

TEST(TokenDigest, KeepsNothingOfTheTokenBefore) {
  const auto first = digest_of("first");
  EXPECT_NE(digest_of("second"), first);
  EXPECT_NE(digest_of(""), first);
  EXPECT_EQ(digest_of("first"), first);
  TokenDigest elsewhere;
  std::thread([&] { elsewhere = digest_of("first"); }).join();
  EXPECT_EQ(elsewhere, first);
}

}  // namespace
}  // namespace latchkey::jwt
