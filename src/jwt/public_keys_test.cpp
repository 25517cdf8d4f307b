#include "jwt/public_keys.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "jwt/base64url.hpp"
#include "jwt/hand_made_token.hpp"
#include "jwt/rfc7515_vectors.hpp"

namespace latchkey::jwt {
namespace {

constexpr std::string_view okp_jwk =
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

std::string set_of(std::string_view keys) { return fmt::format("{{\"keys\":[{}]}}", keys); }

std::string with_member(std::string_view jwk, std::string_view member) {
  return '{' + std::string(member) + ',' + std::string(jwk.substr(1));
}

std::string replaced(std::string_view in, std::string_view from, std::string_view to) {
  std::string text(in);
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Jwks, ReadsEachKindWithItsId) {
  const auto keys = read_jwks(
      set_of(fmt::format("{},{},{}", with_member(okp_jwk, R"("kid":"a","use":"sig","alg":"EdDSA")"),
                         with_member(rfc7515::a3_jwk, R"("kid":"b","key_ops":["verify"])"), rfc7515::a2_jwk)));
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 3U);
  EXPECT_EQ((*keys)[0].algorithm(), Algorithm::eddsa);
  EXPECT_EQ((*keys)[0].kid, "a");
  EXPECT_EQ((*keys)[1].algorithm(), Algorithm::es256);
  EXPECT_EQ((*keys)[1].kid, "b");
  EXPECT_EQ((*keys)[2].algorithm(), Algorithm::rs256);
  EXPECT_EQ((*keys)[2].kid, std::nullopt);
}

TEST(Jwks, PassesOverKeysOfOtherKinds) {
  const std::vector<std::string> others = {R"({"kty":"XYZ"})",
                                           "{}",
                                           R"({"kty":1})",
                                           R"({"kty":"EC","crv":"P-384","x":"AA","y":"AA"})",
                                           R"({"kty":"OKP","crv":"X25519","x":"AA"})",
                                           with_member(okp_jwk, R"("use":"enc")"),
                                           with_member(okp_jwk, R"("use":1)"),
                                           with_member(okp_jwk, R"("alg":"ES256")"),
                                           with_member(okp_jwk, R"("key_ops":["sign"])"),
                                           with_member(okp_jwk, R"("key_ops":"verify")"),
                                           with_member(rfc7515::a2_jwk, R"("alg":"RS512")"),
                                           with_member(rfc7515::a2_jwk, R"("alg":"PS256")"),
                                           with_member(rfc7515::a2_jwk, R"("alg":"HS256")")};
  for (const auto& other : others) {
    const auto keys = read_jwks(set_of(other + ',' + std::string(okp_jwk)));
    ASSERT_TRUE(keys) << other;
    EXPECT_EQ(keys->size(), 1U) << other;
    EXPECT_FALSE(read_jwks(set_of(other))) << other;
  }
}

TEST(Jwks, RefusesSecretsAndBrokenKeysAltogether) {
  const auto x_of_zero = encode_base64url(std::string(32, '\0'));
  const std::vector<std::string> bad = {
      R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})",
      R"({"kty":"oct"})",
      with_member(okp_jwk, R"("d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")"),
      with_member(rfc7515::a2_jwk, R"("p":"AA")"),
      with_member(rfc7515::a3_jwk, R"("d":"AA")"),
      with_member(okp_jwk, R"("kid":1)"),
      "1",
      "[]",
      "null",
      R"({"kty":"OKP","crv":"Ed25519"})",
      R"({"kty":"OKP","crv":"Ed25519","x":1})",
      replaced(okp_jwk, "URo\"", "URo=\""),
      replaced(okp_jwk, "11qY", ""),
      replaced(okp_jwk, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", x_of_zero),
      R"({"kty":"EC","crv":"P-256"})",
      replaced(rfc7515::a3_jwk, "f83O", "f84O"),
      replaced(rfc7515::a3_jwk, "f83O", ""),
      R"({"kty":"RSA"})",
      replaced(rfc7515::a2_jwk, "\"AQAB\"", "\"\""),
      replaced(rfc7515::a2_jwk, "\"AQAB\"", "\"AQ\""),
      replaced(rfc7515::a2_jwk, "\"AQAB\"", "\"AQAA\""),
      fmt::format(R"({{"kty":"RSA","e":"AQAB","n":"{}"}})", encode_base64url(std::string(128, '\xff'))),
      fmt::format(R"({{"kty":"RSA","e":"AQAB","n":"{}"}})", encode_base64url(std::string(2000, '\xff')))};
  for (const auto& jwk : bad) {
    const auto keys = read_jwks(set_of(std::string(okp_jwk) + ',' + jwk));
    ASSERT_FALSE(keys) << jwk;
    EXPECT_EQ(keys.error().code, ErrorCode::invalid);
    EXPECT_FALSE(keys.error().detail.empty());
  }
}

TEST(Jwks, RefusesWhatIsNoSet) {
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("[]"), std::string("{\"keys\":{}}"), std::string("{\"keys\":[]}"),
        std::string(okp_jwk), set_of(okp_jwk) + "x", replaced(set_of(okp_jwk), "\"x\"", "\"x\":\"AA\",\"x\"")}) {
    EXPECT_FALSE(read_jwks(text)) << text;
  }
}

TEST(Jwks, WritesWhatItReads) {
  SigningKey key{std::string(rfc8037_kid), rfc8037_key().public_key(), SigningKeyState::signing, {}, {}};
  SigningKey retired = key;
  retired.state = SigningKeyState::retired;
  const auto keys = read_jwks(to_jwks(std::array{key, retired}));
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 1U);
  EXPECT_EQ((*keys)[0].kid, rfc8037_kid);
  EXPECT_TRUE((*keys)[0].verify("text", rfc8037_key().sign("text")));
  EXPECT_EQ(to_jwks({}), R"({"keys":[]})");
}

std::string public_pem(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  EXPECT_EQ(PEM_write_bio_PUBKEY(bio.get(), key), 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

TEST(PublicKeyPem, ReadsEachKindAndSeveralBlocks) {
  const PkeyPtr ed(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const PkeyPtr ec(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const PkeyPtr rsa(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
  const auto keys =
      read_public_key_pem("one\n" + public_pem(ed.get()) + "two\n" + public_pem(ec.get()) + public_pem(rsa.get()));
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 3U);
  EXPECT_EQ((*keys)[0].algorithm(), Algorithm::eddsa);
  EXPECT_EQ((*keys)[1].algorithm(), Algorithm::es256);
  EXPECT_EQ((*keys)[2].algorithm(), Algorithm::rs256);
}

TEST(PublicKeyPem, RefusesPrivateKeysWeakKeysAndDamage) {
  const PkeyPtr p384(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"));
  const PkeyPtr ed(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const std::string good = public_pem(ed.get());
  const std::string mislabelled = replaced(replaced(good, "PUBLIC KEY", "CERTIFICATE"), "PUBLIC KEY", "CERTIFICATE");
  const std::string private_pem(rfc8037_key().to_pem().reveal());
  for (const auto& pem :
       {std::string(), std::string("text"), mislabelled, private_pem, good + private_pem, public_pem(p384.get()),
        good.substr(0, 60), replaced(good, "MCow", "MCox"), good + good.substr(0, 60)}) {
    EXPECT_FALSE(read_public_key_pem(pem)) << pem;
  }
  EXPECT_TRUE(read_public_key_pem(good));
}

}  // namespace
}  // namespace latchkey::jwt
