#include "jwt/access_key_set.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "jwt/public_keys.hpp"

namespace latchkey::jwt {
namespace {

struct Signer {
  Ed25519PrivateKey key = Ed25519PrivateKey::generate();
  SigningKey row{thumbprint(key.public_key()), key.public_key(), {}, {}, {}};
  std::string token() const {
    SeededRandom random(1);
    return std::string(
        mint_access_token({KeyId::generate({1'767'225'600'000}, random), "alice", {1'767'225'600}}, row.kid, key)
            .reveal());
  }
};

TEST(AccessKeySet, TellsAKeyOfTheServiceFromNoise) {
  const Signer ours, others;
  const auto set = read_access_key_set(to_jwks(std::vector{ours.row}));
  ASSERT_TRUE(set) << set.error().detail;
  AccessClaims claims;
  EXPECT_EQ(judge(ours.token(), *set, claims), Genuine::yes);
  EXPECT_EQ(claims.user_id, "alice");
  EXPECT_EQ(judge("acme_live_" + ours.token(), *set, claims), Genuine::yes);
  EXPECT_EQ(judge(others.token(), *set, claims), Genuine::unknown_key);
  std::string forged = ours.token();
  forged.replace(forged.rfind('.') + 1, 4, "AAAA");
  EXPECT_EQ(judge(forged, *set, claims), Genuine::no);
  EXPECT_EQ(judge("eyJhbGciOiJFZERTQSJ9.e30.x", *set, claims), Genuine::no);
  EXPECT_EQ(judge("", *set, claims), Genuine::no);
}

TEST(AccessKeySet, AKeyUnderAnotherNameIsLeftOut) {
  const Signer ours, others;
  std::string jwks = to_jwks(std::vector{ours.row});
  const auto at = jwks.find(ours.row.kid);
  jwks.replace(at, ours.row.kid.size(), others.row.kid);
  EXPECT_FALSE(read_access_key_set(jwks));
  for (const char* text : {"", "{}", "[]", R"({"keys":{}})", R"({"keys":[]})", R"({"keys":[{"kty":"RSA"}]})"}) {
    EXPECT_FALSE(read_access_key_set(text)) << text;
  }
}

}  // namespace
}  // namespace latchkey::jwt
