#include "jwt/public_keys.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "jwt/base64url.hpp"
#include "jwt/testing/hand_made_token.hpp"
#include "jwt/testing/rfc7515_vectors.hpp"

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
  const auto read = read_jwks(
      set_of(fmt::format("{},{},{}", with_member(okp_jwk, R"("kid":"a","use":"sig","alg":"EdDSA")"),
                         with_member(rfc7515::a3_jwk, R"("kid":"b","key_ops":["verify"])"), rfc7515::a2_jwk)));
  ASSERT_TRUE(read);
  const auto& keys = read->keys;
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_TRUE(read->skipped.empty());
  EXPECT_TRUE(keys[0].is_for(Algorithm::eddsa) && keys[0].kid == "a");
  EXPECT_TRUE(keys[1].is_for(Algorithm::es256) && keys[1].kid == "b");
  EXPECT_TRUE(keys[2].is_for(Algorithm::rs256) && keys[2].kid == std::nullopt);
}

// Beside a good key it is left out and named; alone it is an error that gives the reason.
void expect_skipped(const std::string& jwk) {
  const auto read = read_jwks(set_of(std::string(okp_jwk) + ',' + jwk));
  ASSERT_TRUE(read) << jwk;
  EXPECT_EQ(read->keys.size(), 1U) << jwk;
  ASSERT_EQ(read->skipped.size(), 1U) << jwk;
  EXPECT_THAT(read->skipped[0].name, testing::StartsWith("key 2 (")) << jwk;
  const auto& reason = read->skipped[0].reason;
  EXPECT_FALSE(reason.empty()) << jwk;
  const auto alone = read_jwks(set_of(jwk));
  ASSERT_FALSE(alone) << jwk;
  EXPECT_EQ(alone.error().code, ErrorCode::invalid);
  EXPECT_THAT(alone.error().detail, testing::HasSubstr(reason));
}

TEST(Jwks, SkipsKeysOfOtherKinds) {
  const std::vector<std::string> others = {R"({"kty":"XYZ"})",
                                           "{}",
                                           R"({"kty":1})",
                                           R"({"kty":"EC","crv":"P-384","x":"AA","y":"AA"})",
                                           R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})",
                                           R"({"kty":"OKP","crv":"X25519","x":"AA"})",
                                           with_member(okp_jwk, R"("use":"enc")"),
                                           with_member(okp_jwk, R"("use":1)"),
                                           with_member(okp_jwk, R"("alg":"ES256")"),
                                           with_member(okp_jwk, R"("key_ops":["sign"])"),
                                           with_member(okp_jwk, R"("key_ops":"verify")"),
                                           with_member(rfc7515::a2_jwk, R"("alg":"RSA-OAEP")"),
                                           with_member(rfc7515::a2_jwk, R"("alg":"HS256")")};
  for (const auto& other : others) {
    expect_skipped(other);
  }
}

TEST(Jwks, SkipsSecretsAndBrokenKeys) {
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
  for (const auto& jwk : bad) expect_skipped(jwk);
}

TEST(Jwks, NamesWhatItSkips) {
  const auto read = read_jwks(set_of(fmt::format(
      "{},{},{}", with_member(rfc7515::a3_jwk, R"("kid":"enc-1","use":"enc")"), okp_jwk,
      R"({"kty":"EC","crv":"P-256","kid":"\u001b[2J)" + std::string(300, 'k') + R"(","x":"AA","y":"AA"})")));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->skipped.size(), 2U);
  EXPECT_EQ(read->skipped[0].name, "key 1 (kid \"enc-1\")");
  EXPECT_EQ(read->skipped[0].reason, "its use is not sig");
  EXPECT_THAT(read->skipped[1].name, testing::StartsWith("key 3 (kid \"?[2Jkkk"));
  EXPECT_LT(read->skipped[1].name.size(), 100U);
  EXPECT_THAT(read->skipped[1].reason, testing::HasSubstr("32 bytes each"));
}

// A token without kid is tried with each: of 3,000 keys one bad token cost 2.6 s.
TEST(Jwks, UsesABoundedNumberOfKeys) {
  std::string many;
  for (std::size_t i = 0; i < max_public_keys + 3; ++i) {
    many += fmt::format("{}{}", i == 0 ? "" : ",", with_member(okp_jwk, fmt::format(R"("kid":"{}")", i)));
  }
  const auto read = read_jwks(set_of(many));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->keys.size(), max_public_keys);
  ASSERT_EQ(read->skipped.size(), 3U);
  EXPECT_EQ(read->skipped[0].name, "key 65 (kid \"64\")");
  EXPECT_EQ(read->skipped[0].reason, "it stands behind 64 that can be used");
}

TEST(Jwks, AlgIsTheOnlyAlgorithm) {
  for (const char* alg : {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}) {
    const auto read = read_jwks(set_of(with_member(rfc7515::a2_jwk, fmt::format(R"("alg":"{}")", alg))),
                                {Algorithm::rs256, Algorithm::rs384});
    ASSERT_TRUE(read) << alg;
    for (const auto each :
         {Algorithm::rs256, Algorithm::rs384, Algorithm::rs512, Algorithm::ps256, Algorithm::ps384, Algorithm::ps512}) {
      EXPECT_EQ(read->keys[0].is_for(each), to_string(each) == alg) << alg;
    }
  }
  const auto more = read_jwks(set_of(rfc7515::a2_jwk), {Algorithm::rs256, Algorithm::ps256});
  ASSERT_TRUE(more);
  EXPECT_TRUE(more->keys[0].is_for(Algorithm::rs256) && more->keys[0].is_for(Algorithm::ps256));
  EXPECT_FALSE(more->keys[0].is_for(Algorithm::rs512));
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
  const auto read = read_jwks(to_jwks(std::array{key, retired}));
  ASSERT_TRUE(read);
  const auto& keys = read->keys;
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].kid, rfc8037_kid);
  EXPECT_TRUE(keys[0].verify(Algorithm::eddsa, "text", rfc8037_key().sign("text")));
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
  const auto read =
      read_public_key_pem("one\n" + public_pem(ed.get()) + "two\n" + public_pem(ec.get()) + public_pem(rsa.get()));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->keys.size(), 3U);
  EXPECT_TRUE(read->keys[0].is_for(Algorithm::eddsa));
  EXPECT_TRUE(read->keys[1].is_for(Algorithm::es256));
  EXPECT_TRUE(read->keys[2].is_for(Algorithm::rs256));
}

TEST(PublicKeyPem, SkipsWhatItCannotUse) {
  const PkeyPtr p224(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-224"));
  const PkeyPtr small(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024}));
  const PkeyPtr ed(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const std::string good = public_pem(ed.get());
  const std::string mislabelled = replaced(replaced(good, "PUBLIC KEY", "CERTIFICATE"), "PUBLIC KEY", "CERTIFICATE");
  const std::string private_pem(rfc8037_key().to_pem().reveal());
  for (const auto& odd :
       {mislabelled, private_pem, public_pem(p224.get()), public_pem(small.get()), replaced(good, "MCow", "MCox")}) {
    EXPECT_FALSE(read_public_key_pem(odd)) << odd;
    const auto read = read_public_key_pem(odd + good);
    ASSERT_TRUE(read) << odd;
    EXPECT_EQ(read->keys.size(), 1U);
    ASSERT_EQ(read->skipped.size(), 1U);
    EXPECT_THAT(read->skipped[0].name, testing::StartsWith("block 1 (\""));
  }
}

TEST(PublicKeyPem, RefusesABrokenBlock) {
  const PkeyPtr ed(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const std::string good = public_pem(ed.get());
  for (const auto& pem : {std::string(), std::string("text"), good.substr(0, 60), good + good.substr(0, 60)}) {
    EXPECT_FALSE(read_public_key_pem(pem)) << pem;
  }
  EXPECT_TRUE(read_public_key_pem(good));
}

}  // namespace
}  // namespace latchkey::jwt
