#include "jwt/minted_form.hpp"

#include <gtest/gtest.h>

#include "jwt/base64url.hpp"
#include "jwt/testing/sample_access_token.hpp"

namespace latchkey::jwt {
namespace {

/// The token made again from what was read out of it.
std::string again(const ParsedAccessToken& parsed) {
  return encode_base64url(fmt::format(R"({{"alg":"EdDSA","kid":"{}","typ":"latchkey+jwt"}})", parsed.kid)) + "." +
         encode_base64url(fmt::format(R"({{"jti":"{}","iat":{},"iss":"latchkey","role":"user","sub":"{}"}})",
                                      parsed.claims.key_id.to_string(), parsed.claims.issued_at.seconds,
                                      parsed.claims.user_id)) +
         "." + encode_base64url(parsed.signature);
}

TEST(MintedForm, IsReadAsItWasMinted) {
  const std::string token = minted();
  const auto parsed = parse_minted_form(token);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->claims.key_id.to_string(), id_text);
  EXPECT_EQ(parsed->claims.user_id, "alice");
  EXPECT_EQ(parsed->claims.issued_at, IssueTime{1'767'225'600});
  EXPECT_EQ(parsed->kid, rfc8037_kid);
  EXPECT_EQ(again(*parsed), token);
}

// What it accepts is a canonical form: there is one text for what was read, so nothing else can have been meant.
TEST(MintedForm, AcceptsNothingThatItWouldNotWriteItself) {
  const std::string token = minted();
  int accepted = 0;
  for (std::size_t at = 0; at < token.size(); ++at) {
    for (const char c : std::string_view("A_z09.=\"\\ \0\n", 12)) {
      std::string other = token;
      other[at] = c;
      if (const auto parsed = parse_minted_form(other)) {
        ++accepted;
        EXPECT_EQ(again(*parsed), other) << at;
      }
    }
    EXPECT_FALSE(parse_minted_form(token.substr(0, at))) << at;
  }
  EXPECT_GT(accepted, 100) << "other signatures, ids, times and user ids are of the form";
}

TEST(MintedForm, LeavesOtherFormsToTheStrictParser) {
  for (const std::string& payload :
       {replaced(good_payload, "1767225600", "01767225600"), replaced(good_payload, "1767225600", "-1"),
        replaced(good_payload, "1767225600", "1e9"), replaced(good_payload, "1767225600", "99999999999999999999"),
        replaced(good_payload, "alice", "al\\u0069ce"), replaced(good_payload, "alice", ""),
        replaced(good_payload, "alice\"", "alice\",\"exp\":\"1\""), replaced(good_payload, "\"user\"", "\"admin\""),
        good_payload + " ", std::string("{}")}) {
    EXPECT_FALSE(parse_minted_form(token_of(good_header, payload))) << payload;
  }
  EXPECT_FALSE(parse_minted_form(token_of(replaced(good_header, "latchkey+jwt", "latchkey+JWT"), good_payload)));
  EXPECT_FALSE(parse_minted_form(token_of(replaced(good_header, "EdDSA", "HS256"), good_payload)));
  EXPECT_FALSE(parse_minted_form(minted() + "A"));
  EXPECT_FALSE(parse_minted_form(minted() + ".A"));
}

}  // namespace
}  // namespace latchkey::jwt
