#include "jwt/base64url.hpp"

#include <gtest/gtest.h>

#include <array>

namespace latchkey::jwt {
namespace {

TEST(Base64url, EncodesTheVectorsOfRfc4648) {
  const std::array<std::pair<std::string_view, std::string_view>, 7> vectors = {{{"", ""},
                                                                                 {"f", "Zg"},
                                                                                 {"fo", "Zm8"},
                                                                                 {"foo", "Zm9v"},
                                                                                 {"foob", "Zm9vYg"},
                                                                                 {"fooba", "Zm9vYmE"},
                                                                                 {"foobar", "Zm9vYmFy"}}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(encode_base64url(plain), encoded);
    EXPECT_EQ(decode_base64url(encoded), plain);
  }
}

TEST(Base64url, UsesTheUrlAlphabet) {
  EXPECT_EQ(encode_base64url("\xfb\xff\xbf"), "-_-_");  // "+/+/" in plain base64
  EXPECT_EQ(decode_base64url("A-z_"), encode_base64url("") + std::string("\x03\xec\xff", 3));
}

TEST(Base64url, RoundTripsEveryLengthAndByte) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(decode_base64url(encode_base64url(bytes)), bytes);
    bytes += static_cast<char>(i * 7);
  }
}

TEST(Base64url, HasOneSpellingOnly) {
  for (const std::string_view text :
       {"Zg==",  "Zg=", "Zm8=", "=",   "+/+/", "Zm9v+A", "Zm 9v",      " Zm9v",     "Zm9v\n", "Zm9v\t", "Z",
        "Zm9vY", "Zh",  "Zn",   "Zm9", "Zm8_", "Zm-",    "\xc3\xa9Zm", "Zm9v.Zm9v", "Zg~",    "Zm9vZ"}) {
    const bool is_whole = text == "Zm8_";
    EXPECT_EQ(decode_base64url(text).has_value(), is_whole) << text;
  }
  EXPECT_FALSE(decode_base64url(std::string_view("Zm\0v", 4)));
}

TEST(Base64url, RefusesSpareBitsThatAreNotZero) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    EXPECT_EQ(decode_base64url(std::string("A") + alphabet[i]).has_value(), i % 16 == 0) << alphabet[i];
    EXPECT_EQ(decode_base64url(std::string("AA") + alphabet[i]).has_value(), i % 4 == 0) << alphabet[i];
  }
}

TEST(Base64url, DecodesOnlyTheExpectedSize) {
  std::array<std::uint8_t, 3> three{};
  EXPECT_TRUE(decode_base64url("Zm9v", three));
  EXPECT_EQ(three, (std::array<std::uint8_t, 3>{'f', 'o', 'o'}));
  for (const std::string_view text : {"", "Zm8", "Zm9vYg", "Zm9vYmFy"})
    EXPECT_FALSE(decode_base64url(text, three)) << text;
}

}  // namespace
}  // namespace latchkey::jwt
