#include <fmt/format.h>
#include <gtest/gtest.h>

#include "jwt/access_token.hpp"
#include "jwt/testing/sample_access_token.hpp"

namespace latchkey::jwt {
namespace {

TEST(AccessTokenStructure, IsThreePartsOfStrictBase64url) {
  const std::string token = minted();
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  const std::string header = token.substr(0, first);
  const std::string payload = token.substr(first + 1, second - first - 1);
  const std::string signature = token.substr(second + 1);
  const std::vector<std::string> bad = {
      "",
      ".",
      "..",
      "...",
      header,
      header + '.' + payload,
      token + '.',
      '.' + token,
      token + '.' + signature,
      token + ".a.b",
      std::string(100'000, '.'),
      std::string(4096, '.'),
      '.' + payload + '.' + signature,
      header + ".." + signature,
      header + '.' + payload + '.',
      header + "=." + payload + '.' + signature,
      header + '.' + payload + "=." + signature,
      token + '=',
      token + "==",
      ' ' + token,
      token + ' ',
      token + '\n',
      header + " ." + payload + '.' + signature,
      header + '.' + payload + '.' + signature.substr(0, 43) + '\n' + signature.substr(43),
      token + std::string(1, '\0'),
      std::string(1, '\0') + token,
      replaced(token, ".", std::string(1, '\0')),
      header + ".+" + payload.substr(1) + '.' + signature,
      header + "./" + payload.substr(1) + '.' + signature,
      "Bearer " + token,
      R"({"payload":")" + payload + R"(","protected":")" + header + R"(","signature":")" + signature + "\"}",
  };
  for (const auto& text : bad) {
    EXPECT_EQ(fault_of(text), TokenFault::malformed) << text.substr(0, 600);
  }
}

TEST(AccessTokenStructure, SpareBitsAreZero) {
  const std::string token = minted();  // its signature's last digit carries 4 spare bits
  for (int i = 1; i < 16; ++i) {
    std::string respelled = token;
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    respelled.back() = alphabet[alphabet.find(token.back()) + static_cast<std::size_t>(i)];
    EXPECT_EQ(fault_of(respelled), TokenFault::malformed) << respelled.back();
  }
}

TEST(AccessTokenStructure, HasASizeCap) {
  const std::string other_header = replaced(good_header, "latchkey+jwt", "other+jwt");
  const auto payload = [](std::size_t extra) {
    return replaced(good_payload, "\"iat\"", "\"x\":\"" + std::string(extra, 'x') + "\",\"iat\"");
  };
  constexpr std::size_t signature_part = 87;  // "." and 64 bytes
  std::size_t extra = 0;
  while (hand_made_input(other_header, payload(extra + 1)).size() + signature_part <= max_token_bytes) ++extra;
  const std::string longest = token_of(other_header, payload(extra));
  EXPECT_EQ(longest.size(), max_token_bytes);
  EXPECT_EQ(fault_of(longest), TokenFault::another_kind);
  EXPECT_EQ(fault_of(token_of(other_header, payload(extra + 1))), TokenFault::malformed);
}

TEST(AccessTokenStructure, ClaimsAreFew) {
  const auto with = [](std::string_view members) {
    return token_of(good_header, replaced(good_payload, "\"iat\"", std::string(members) + "\"iat\""));
  };
  const auto many = [](int count) {  // two pieces each
    std::string members;
    for (int i = 0; i < count; ++i) members += "\"x" + std::to_string(i) + "\":1,";
    return members;
  };
  const auto nested = [](int deep) {
    return "\"x\":" + std::string(static_cast<std::size_t>(deep), '[') +
           std::string(static_cast<std::size_t>(deep), ']') + ",";
  };
  EXPECT_EQ(fault_of(with(many(11))), std::nullopt);
  EXPECT_EQ(fault_of(with(many(12))), TokenFault::malformed);
  EXPECT_EQ(fault_of(with("\"x\":\"" + std::string(50, ',') + "\\\"[{:\",")), std::nullopt) << "in a string";
  EXPECT_EQ(fault_of(with(nested(5))), std::nullopt);
  EXPECT_EQ(fault_of(with(nested(25))), TokenFault::malformed);
  EXPECT_EQ(fault_of(with("\"x\":\"" + std::string(900, 'x') + "\",")), TokenFault::malformed);
}

TEST(AccessTokenHeader, RefusesTricks) {
  const std::string deep = std::string(3000 / 2, '[') + std::string(3000 / 2, ']');
  const auto with = [](std::string_view member) { return replaced(good_header, "{", "{" + std::string(member) + ","); };
  const auto alg = [](std::string_view value) { return replaced(good_header, "\"EdDSA\"", value); };
  const auto kid = [](std::string_view value) {
    return replaced(good_header, fmt::format("\"{}\"", rfc8037_kid), value);
  };
  const std::vector<std::string> bad = {
      "null",
      "1",
      "\"EdDSA\"",
      "[]",
      "true",
      " ",
      "{",
      good_header + "{}",
      good_header + "x",
      "[" + good_header + "]",
      // repeated members, also when spelled differently
      with("\"alg\":\"EdDSA\""),
      with("\"typ\":\"latchkey+jwt\""),
      with("\"x\":1,\"x\":1"),
      with("\"\\u0061lg\":\"EdDSA\""),
      with("\"x\":" + std::string(9, '[') + std::string(9, ']')),
      with("\"x\":" + deep.substr(0, 2000)),
      with("\"x\":\"\xff\""),
      with("\"x\":\"\xc0\xaf\""),
      with("\"x\":\"\xed\xa0\x80\""),
      with("\"x\":01"),
      with("\"x\":NaN"),
      with("/**/\"x\":1"),
      "\xef\xbb\xbf" + good_header,
      alg("\"none\""),
      alg("\"None\""),
      alg("\"NONE\""),
      alg("\"nOnE\""),
      alg("\"eddsa\""),
      alg("\"EDDSA\""),
      alg("\"EdDSA \""),
      alg("\"Ed25519\""),
      alg("\"\""),
      alg("null"),
      alg("[\"EdDSA\"]"),
      alg("{}"),
      alg("0"),
      alg("\"HS256\""),
      alg("\"ES256\""),
      alg("\"RS256\""),
      alg("\"ES512\""),
      alg("\"EdDSA\\u0000\""),
      replaced(good_header, "\"alg\":\"EdDSA\",", ""),
      replaced(good_header, "\"alg\"", "\"Alg\""),
      kid("\"\""),
      kid("\"" + std::string(1500, 'k') + "\""),
      kid("\"../../etc/passwd\""),
      kid("\"' OR '1'='1\""),
      kid("\"\\\"\""),
      kid("null"),
      kid("1"),
      kid("[]"),
      kid(fmt::format("\"{}=\"", rfc8037_kid)),
      kid(fmt::format("\"{}A\"", rfc8037_kid)),
      kid(fmt::format("\" {}\"", rfc8037_kid)),
      kid(fmt::format("\"{}\"", rfc8037_kid.substr(1))),
      kid(fmt::format("\"{}l\"", rfc8037_kid.substr(0, 42))),
      replaced(good_header, fmt::format("\"kid\":\"{}\",", rfc8037_kid), ""),
      with(R"("jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"),
      with(R"("jku":"https://example.com/jwks")"),
      with(R"("x5u":"https://example.com/cert")"),
      with(R"("x5c":["MII"])"),
      with(R"("crit":["exp"])"),
      with(R"("crit":[])"),
      with(R"("b64":false)"),
      with(R"("b64":true)"),
      with(R"("zip":"DEF")"),
      with(R"("enc":"A128GCM")"),
      with(R"("jwk":null)"),
      with("\"\\u006aku\":null"),
  };
  for (const auto& header : bad) {
    EXPECT_EQ(fault_of(token_of(header, good_payload)), TokenFault::malformed) << header.substr(0, 300);
  }
}

TEST(AccessTokenHeader, TypIsComparedExactly) {
  const auto typ = [](std::string_view value) {
    return token_of(replaced(good_header, "\"latchkey+jwt\"", value), good_payload);
  };
  for (const char* other : {"\"JWT\"", "\"jwt\"", "\"at+jwt\"", "\"Latchkey+JWT\"", "\"latchkey+jwt \"",
                            "\"application/latchkey+jwt\"", "\"\"", "\"latchkey+jwt\\u0000\"", "\"latchkey\""}) {
    EXPECT_EQ(fault_of(typ(other)), TokenFault::another_kind) << other;
  }
  for (const char* broken : {"null", "1", "[\"latchkey+jwt\"]", "{}"}) {
    EXPECT_EQ(fault_of(typ(broken)), TokenFault::malformed) << broken;
  }
  const std::string none = replaced(good_header, ",\"typ\":\"latchkey+jwt\"", "");
  EXPECT_EQ(fault_of(token_of(none, good_payload)), TokenFault::another_kind);
}

TEST(AccessTokenHeader, AnotherKindIsAWholeJwt) {
  const std::string input = hand_made_input(R"({"alg":"RS256","typ":"JWT"})", R"({"sub":"ops"})");
  EXPECT_EQ(fault_of(input + ".AAAA"), TokenFault::another_kind);
  EXPECT_EQ(fault_of(input + ".AAAA="), TokenFault::malformed);
  EXPECT_EQ(fault_of(input + '.'), TokenFault::malformed);
  for (const char* header :
       {R"({"alg":"none","typ":"JWT"})", R"({"alg":"NONE"})", R"({"typ":"JWT"})", R"({"alg":null})",
        R"({"alg":"RS256","jku":"https://example.com"})", R"({"alg":"RS256","alg":"RS256"})"}) {
    EXPECT_EQ(fault_of(hand_made_input(header, R"({"sub":"ops"})") + ".AAAA"), TokenFault::malformed) << header;
  }
  for (const char* payload : {"", "[]", "null", "{", "{\"a\":1,\"a\":2}", "text"}) {
    EXPECT_EQ(fault_of(hand_made_input(R"({"alg":"RS256"})", payload) + ".AAAA"), TokenFault::malformed) << payload;
  }
}

TEST(AccessTokenSignature, HasSixtyFourBytes) {
  const std::string input = hand_made_input(good_header, good_payload);
  for (const std::size_t size : {1U, 32U, 63U, 65U, 70U, 128U}) {
    const std::string signature(size, '\x30');
    EXPECT_EQ(fault_of(input + '.' + encode_base64url(signature)), TokenFault::malformed) << size;
  }
}

TEST(AccessTokenSignature, IsThatOfTheKey) {
  const auto public_key = rfc8037_key().public_key();
  const auto verifies = [&](const std::string& token) {
    const auto parsed = parse_access_token(token);
    EXPECT_TRUE(parsed);
    return parsed && verify(*parsed, public_key);
  };
  const std::string input = hand_made_input(good_header, good_payload);
  EXPECT_TRUE(verifies(token_of(good_header, good_payload)));
  EXPECT_FALSE(verifies(signed_with(Ed25519PrivateKey::generate(), good_header, good_payload)));  // under the right kid
  EXPECT_FALSE(verifies(input + '.' + encode_base64url(std::string(64, '\0'))));
  const std::string signature = encode_base64url(rfc8037_key().sign(input));
  EXPECT_FALSE(verifies(hand_made_input(good_header, replaced(good_payload, "alice", "mallory")) + '.' + signature));
  EXPECT_FALSE(verifies(hand_made_input(replaced(good_header, ",\"typ", ", \"typ"), good_payload) + '.' + signature));
}

TEST(AccessTokenClaims, AreStrict) {
  const auto claim = [](std::string_view from, std::string_view to) { return replaced(good_payload, from, to); };
  const auto iat = [&](std::string_view value) { return claim("1767225600", value); };
  const auto jti = [&](std::string_view value) { return claim(fmt::format("\"{}\"", id_text), value); };
  const auto sub = [&](std::string_view value) { return claim("\"alice\"", value); };
  const std::vector<std::string> bad = {
      "{}",
      "[]",
      "null",
      "",
      "{\"jti\":",
      good_payload + " x",
      iat("\"1767225600\""),
      iat("null"),
      iat("-1"),
      iat("1e999"),

      iat("-1e999"),
      iat("1e9"),
      iat("9223372036854775808"),
      iat("18446744073709551616"),
      iat("1767225600.0"),
      iat("1767225600.5"),
      iat("true"),
      iat("[]"),
      iat("01"),
      iat("+1"),
      iat("0x10"),
      iat("1767225600n"),
      iat("NaN"),
      claim("\"iat\":1767225600,", ""),
      claim("\"iat\":1767225600,", "\"iat\":1,\"iat\":1767225600,"),
      claim("\"latchkey\"", "\"Latchkey\""),
      claim("\"latchkey\"", "\"latchkey \""),
      claim("\"latchkey\"", "\"latchkey/\""),
      claim("\"latchkey\"", "null"),
      claim("\"latchkey\"", "[\"latchkey\"]"),
      claim("\"iss\":\"latchkey\",", ""),
      jti("1"),
      jti("null"),
      jti("\"\""),
      jti("[\"0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d\"]"),
      jti("\"0198B2C4-7D3E-7A61-9C55-0E1F2A3B4C5D\""),
      jti("\"0198b2c47d3e7a619c550e1f2a3b4c5d\""),
      jti("\"0198b2c4-7d3e-4a61-9c55-0e1f2a3b4c5d\""),
      jti("\"0198b2c4-7d3e-7a61-0c55-0e1f2a3b4c5d\""),
      jti("\"0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d \""),
      claim(fmt::format("\"jti\":\"{}\",", id_text), ""),
      sub("1"),
      sub("null"),
      sub("\"\""),
      sub("[\"alice\"]"),
      sub("\"a\\u0000\""),
      sub("\"a\\n\""),
      sub("\"\x7f\""),
      sub("\"\xc3\""),
      sub("\"" + std::string(129, 'a') + "\""),
      claim(",\"sub\":\"alice\"", ""),
      claim("\"user\"", "1"),
      claim("\"user\"", "null"),
      claim("\"user\"", "[\"user\"]"),
      claim("\"role\":\"user\",", ""),
      claim("\"role\"", "\"role\":\"admin\",\"role\""),
      // claims that would have to be honoured, had we ever minted them
      claim("\"iat\"", "\"exp\":9999999999,\"iat\""),
      claim("\"iat\"", "\"nbf\":0,\"iat\""),
      claim("\"iat\"", "\"aud\":\"x\",\"iat\""),
  };
  for (const auto& payload : bad) {
    EXPECT_EQ(fault_of(token_of(good_header, payload)), TokenFault::malformed) << payload;
  }
}

TEST(AccessTokenClaims, IssueTimeIsAnyWholeNumberOfSeconds) {
  for (const std::int64_t seconds : {std::int64_t{0}, std::int64_t{1}, std::int64_t{253'402'300'800}, INT64_MAX}) {
    const auto token = token_of(good_header, replaced(good_payload, "1767225600", std::to_string(seconds)));
    const auto parsed = parse_access_token(token);
    ASSERT_TRUE(parsed) << seconds;
    EXPECT_EQ(parsed->claims.issued_at.seconds, seconds);
  }
}

TEST(AccessTokenClaims, AnotherRoleIsNamedOnlyWhereAllElseIsGood) {
  for (const char* role : {"admin", "viewer", "User", "user ", "", "root"}) {
    const auto payload = replaced(good_payload, "\"user\"", fmt::format("\"{}\"", role));
    EXPECT_EQ(fault_of(token_of(good_header, payload)), TokenFault::another_role) << role;
    EXPECT_EQ(fault_of(token_of(good_header, replaced(payload, "latchkey", "other"))), TokenFault::malformed) << role;
    EXPECT_EQ(fault_of(token_of(good_header, replaced(payload, "alice", ""))), TokenFault::malformed) << role;
  }
}

}  // namespace
}  // namespace latchkey::jwt
