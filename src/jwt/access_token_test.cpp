#include "jwt/access_token.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "jwt/testing/sample_access_token.hpp"

namespace latchkey::jwt {
namespace {

TEST(AccessToken, IsMintedInTheDocumentedForm) {
  EXPECT_EQ(minted(), token_of(good_header, good_payload));
  EXPECT_EQ(minted(), minted());
  EXPECT_EQ(minted().size(), 350U);
}

TEST(AccessToken, ComesBackAsItWasMinted) {
  const std::string token = minted();
  const auto parsed = parse_access_token(token);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->claims.key_id.to_string(), id_text);
  EXPECT_EQ(parsed->claims.user_id, "alice");
  EXPECT_EQ(parsed->claims.issued_at, IssueTime{1'767'225'600});
  EXPECT_EQ(parsed->kid, rfc8037_kid);
  EXPECT_EQ(parsed->signing_input, token.substr(0, token.rfind('.')));
  EXPECT_TRUE(verify(*parsed, rfc8037_key().public_key()));
  EXPECT_FALSE(verify(*parsed, Ed25519PrivateKey::generate().public_key()));
}

TEST(AccessToken, CarriesAnyUserIdThatTheRulesAllow) {
  std::string all_visible;
  for (char c = 0x21; c < 0x7f; ++c) all_visible += c;
  for (const std::string& user_id : {std::string("a"), all_visible, std::string(128, '"'), std::string(128, '\\'),
                                     std::string("two words"), std::string("Zo\u00eb \u674e")}) {
    const auto token = mint_access_token(claims_of(user_id), rfc8037_kid, rfc8037_key());
    const auto parsed = parse_access_token(token.reveal());
    ASSERT_TRUE(parsed) << user_id;
    EXPECT_EQ(parsed->claims.user_id, user_id);
    EXPECT_LE(token.reveal().size(), max_token_bytes / 4);
  }
}

TEST(AccessToken, IsNotMintedFromWhatWouldNotPass) {
  EXPECT_THROW(mint_access_token(claims_of(""), rfc8037_kid, rfc8037_key()), std::invalid_argument);
  EXPECT_THROW(mint_access_token(claims_of("a\nb"), rfc8037_kid, rfc8037_key()), std::invalid_argument);
  EXPECT_THROW(mint_access_token(claims_of(), "key-1", rfc8037_key()), std::invalid_argument);
  auto claims = claims_of();
  claims.issued_at.seconds = -1;
  EXPECT_THROW(mint_access_token(claims, rfc8037_kid, rfc8037_key()), std::invalid_argument);
}

TEST(AccessToken, MayHaveItsMembersInAnyOrder) {
  const std::string header =
      fmt::format(R"( {{ "typ" : "latchkey+jwt", "kid":"{}","alg":"EdDSA","x":[1] }} )", rfc8037_kid);
  const std::string payload = fmt::format(
      R"({{"sub":"\u0061lice","role":"user","more":{{"a":1}},"iss":"latchkey","iat":0,"jti":"{}"}})", id_text);
  const std::string token = token_of(header, payload);
  const auto parsed = parse_access_token(token);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->claims.user_id, "alice");
  EXPECT_EQ(parsed->claims.issued_at, IssueTime{0});
  EXPECT_TRUE(verify(*parsed, rfc8037_key().public_key()));
  EXPECT_EQ(hinted_key_id(token), std::nullopt);
}

TEST(HintedKeyId, IsThatOfAnyTokenWeMint) {
  SeededRandom random(7);
  for (int i = 0; i < 200; ++i) {
    auto claims = claims_of();
    claims.key_id = KeyId::generate({1'767'225'600'000 + i * 977}, random);
    const auto token = mint_access_token(claims, rfc8037_kid, rfc8037_key());
    ASSERT_EQ(hinted_key_id(token.reveal()), claims.key_id);
  }
}

TEST(HintedKeyId, NeedsNothingElseOfTheToken) {
  EXPECT_EQ(hinted_key_id("." + encode_base64url(good_payload)), KeyId::parse(id_text));
  EXPECT_EQ(hinted_key_id("x." + encode_base64url(good_payload.substr(0, 45)) + "!!!"), KeyId::parse(id_text));
}

TEST(HintedKeyId, IsNothingWhereNothingOfTheFormStands) {
  const auto after_dot = [](std::string_view payload) { return hinted_key_id("h." + encode_base64url(payload)); };
  for (const std::string& text : {std::string(), std::string("."), std::string("x"), std::string(4096, '.'),
                                  std::string(4096, 'a'), minted() + std::string(4096, 'a')}) {
    EXPECT_EQ(hinted_key_id(text), std::nullopt) << text;
  }
  EXPECT_EQ(after_dot(good_payload.substr(0, 44)), std::nullopt);
  EXPECT_EQ(after_dot(replaced(good_payload, "jti", "sub")), std::nullopt);
  EXPECT_EQ(after_dot(replaced(good_payload, "-7a61-", "-4a61-")), std::nullopt);
  EXPECT_EQ(after_dot(replaced(good_payload, "0e1f2a3b4c5d", "0E1F2A3B4C5D")), std::nullopt);
  EXPECT_EQ(after_dot(replaced(good_payload, "\",", "',")), std::nullopt);
  EXPECT_EQ(hinted_key_id("h.+" + encode_base64url(good_payload).substr(1)), std::nullopt);
  EXPECT_EQ(hinted_key_id("h. " + encode_base64url(good_payload)), std::nullopt);
}

}  // namespace
}  // namespace latchkey::jwt
