#include "jwt/verification_key.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "jwt/base64url.hpp"
#include "jwt/hand_made_token.hpp"
#include "jwt/public_keys.hpp"
#include "jwt/rfc7515_vectors.hpp"

namespace latchkey::jwt {
namespace {

VerificationKey only_key(std::string_view jwk) {
  auto keys = read_jwks(fmt::format("{{\"keys\":[{}]}}", jwk));
  EXPECT_TRUE(keys && keys->size() == 1);
  return std::move(keys->at(0));
}

bool verifies(const VerificationKey& key, std::string_view input, std::string_view signature) {
  return key.verify(input, as_bytes(*decode_base64url(signature)));
}

TEST(VerificationKey, Hs256IsThatOfRfc7515AppendixA1) {
  const auto key = VerificationKey::from_shared_secret(Secret(*decode_base64url(rfc7515::a1_secret)));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->algorithm(), Algorithm::hs256);
  EXPECT_TRUE(verifies(*key, rfc7515::a1_input, rfc7515::a1_signature));
  EXPECT_FALSE(verifies(*key, rfc7515::a2_input, rfc7515::a1_signature));
  EXPECT_FALSE(key->verify(rfc7515::a1_input, {}));
  EXPECT_FALSE(key->verify(rfc7515::a1_input, as_bytes(decode_base64url(rfc7515::a1_signature)->substr(0, 16))));
}

TEST(VerificationKey, Rs256IsThatOfRfc7515AppendixA2) {
  const auto key = only_key(rfc7515::a2_jwk);
  EXPECT_EQ(key.algorithm(), Algorithm::rs256);
  EXPECT_TRUE(verifies(key, rfc7515::a2_input, rfc7515::a2_signature));
  EXPECT_FALSE(verifies(key, rfc7515::a3_input, rfc7515::a2_signature));
  auto signature = *decode_base64url(rfc7515::a2_signature);
  EXPECT_FALSE(key.verify(rfc7515::a2_input, as_bytes(signature + '\0')));
  EXPECT_FALSE(key.verify(rfc7515::a2_input, as_bytes(std::string(1, '\0') + signature)));
  EXPECT_FALSE(key.verify(rfc7515::a2_input, as_bytes(std::string(256, '\0'))));
  signature[100] = static_cast<char>(signature[100] ^ 1);
  EXPECT_FALSE(key.verify(rfc7515::a2_input, as_bytes(signature)));
}

TEST(VerificationKey, Es256IsThatOfRfc7515AppendixA3) {
  const auto key = only_key(rfc7515::a3_jwk);
  EXPECT_EQ(key.algorithm(), Algorithm::es256);
  EXPECT_TRUE(verifies(key, rfc7515::a3_input, rfc7515::a3_signature));
  EXPECT_FALSE(verifies(key, rfc7515::a2_input, rfc7515::a3_signature));
}

// A key pair and a signature over "input", both as OpenSSL makes them.
struct EcSignature {
  PkeyPtr key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
  std::vector<std::uint8_t> der = std::vector<std::uint8_t>(80);

  EcSignature() {
    const MdCtxPtr context(EVP_MD_CTX_new());
    std::size_t size = der.size();
    EXPECT_EQ(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(), nullptr), 1);
    EXPECT_EQ(EVP_DigestSign(context.get(), der.data(), &size, as_bytes("input").data(), 5), 1);
    der.resize(size);
  }
  std::vector<std::uint8_t> raw() const {
    const unsigned char* at = der.data();
    const EcdsaSigPtr pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    std::vector<std::uint8_t> bytes(64);
    BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), bytes.data(), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), bytes.data() + 32, 32);
    return bytes;
  }
};

TEST(VerificationKey, Es256WantsRawSignaturesAndNoDer) {
  EcSignature made;
  const auto raw = made.raw();
  const auto key = VerificationKey::from_pkey(std::move(made.key));
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->verify("input", raw));
  EXPECT_FALSE(key->verify("input", made.der));
  EXPECT_FALSE(key->verify("input", std::span(raw).first(63)));
  auto longer = raw;
  longer.push_back(0);
  EXPECT_FALSE(key->verify("input", longer));
  EXPECT_FALSE(key->verify("input", std::vector<std::uint8_t>(64)));  // r = s = 0, CVE-2022-21449
  auto half = raw;
  std::fill(half.begin() + 32, half.end(), std::uint8_t{0});
  EXPECT_FALSE(key->verify("input", half));
  for (std::size_t bit = 0; bit < 512; bit += 7) {
    auto flipped = raw;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << bit % 8));
    EXPECT_FALSE(key->verify("input", flipped)) << bit;
  }
}

TEST(VerificationKey, EdDsaIsThatOfRfc8037AppendixA5) {
  const auto key = VerificationKey::from_ed25519(rfc8037_key().public_key());
  ASSERT_TRUE(key);
  EXPECT_EQ(key->algorithm(), Algorithm::eddsa);
  EXPECT_TRUE(verifies(*key, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                       "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"));
}

TEST(VerificationKey, RefusesWeakAndUnknownKeys) {
  EXPECT_FALSE(VerificationKey::from_shared_secret(Secret(std::string(31, 'x'))));
  EXPECT_TRUE(VerificationKey::from_shared_secret(Secret(std::string(32, 'x'))));
  EXPECT_FALSE(VerificationKey::from_ed25519({}));
  EXPECT_FALSE(VerificationKey::from_pkey(nullptr));
  EXPECT_FALSE(VerificationKey::from_pkey(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"))));
  EXPECT_FALSE(VerificationKey::from_pkey(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "secp256k1"))));
  EXPECT_FALSE(VerificationKey::from_pkey(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"))));
  EXPECT_FALSE(VerificationKey::from_pkey(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"))));
  EXPECT_FALSE(VerificationKey::from_pkey(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024}))));
}

TEST(VerificationKey, NamesItsAlgorithmAsJoseDoes) {
  EXPECT_EQ(to_string(Algorithm::eddsa), "EdDSA");
  EXPECT_EQ(to_string(Algorithm::es256), "ES256");
  EXPECT_EQ(to_string(Algorithm::rs256), "RS256");
  EXPECT_EQ(to_string(Algorithm::hs256), "HS256");
}

}  // namespace
}  // namespace latchkey::jwt
