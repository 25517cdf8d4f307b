#include "jwt/verification_key.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "jwt/base64url.hpp"
#include "jwt/public_keys.hpp"
#include "jwt/testing/hand_made_token.hpp"
#include "jwt/testing/rfc7515_vectors.hpp"

namespace latchkey::jwt {
namespace {

VerificationKey only_key(std::string_view jwk) {
  auto read = read_jwks(fmt::format("{{\"keys\":[{}]}}", jwk));
  EXPECT_TRUE(read && read->keys.size() == 1);
  return std::move(read->keys.at(0));
}

bool verifies(const VerificationKey& key, Algorithm algorithm, std::string_view input, std::string_view signature) {
  return key.verify(algorithm, input, as_bytes(*decode_base64url(signature)));
}

TEST(VerificationKey, Hs256IsThatOfRfc7515AppendixA1) {
  const auto key = VerificationKey::from_shared_secret(Secret(*decode_base64url(rfc7515::a1_secret)));
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->is_for(Algorithm::hs256));
  EXPECT_TRUE(verifies(*key, Algorithm::hs256, rfc7515::a1_input, rfc7515::a1_signature));
  EXPECT_FALSE(verifies(*key, Algorithm::hs256, rfc7515::a2_input, rfc7515::a1_signature));
  EXPECT_FALSE(key->verify(Algorithm::hs256, rfc7515::a1_input, {}));
  EXPECT_FALSE(key->verify(Algorithm::hs256, rfc7515::a1_input,
                           as_bytes(decode_base64url(rfc7515::a1_signature)->substr(0, 16))));
}

TEST(VerificationKey, Rs256IsThatOfRfc7515AppendixA2) {
  const auto key = only_key(rfc7515::a2_jwk);
  EXPECT_TRUE(key.is_for(Algorithm::rs256));
  EXPECT_TRUE(verifies(key, Algorithm::rs256, rfc7515::a2_input, rfc7515::a2_signature));
  EXPECT_FALSE(verifies(key, Algorithm::rs256, rfc7515::a3_input, rfc7515::a2_signature));
  auto signature = *decode_base64url(rfc7515::a2_signature);
  EXPECT_FALSE(key.verify(Algorithm::rs256, rfc7515::a2_input, as_bytes(signature + '\0')));
  EXPECT_FALSE(key.verify(Algorithm::rs256, rfc7515::a2_input, as_bytes(std::string(1, '\0') + signature)));
  EXPECT_FALSE(key.verify(Algorithm::rs256, rfc7515::a2_input, as_bytes(std::string(256, '\0'))));
  signature[100] = static_cast<char>(signature[100] ^ 1);
  EXPECT_FALSE(key.verify(Algorithm::rs256, rfc7515::a2_input, as_bytes(signature)));
}

TEST(VerificationKey, Es256IsThatOfRfc7515AppendixA3) {
  const auto key = only_key(rfc7515::a3_jwk);
  EXPECT_TRUE(key.is_for(Algorithm::es256));
  EXPECT_TRUE(verifies(key, Algorithm::es256, rfc7515::a3_input, rfc7515::a3_signature));
  EXPECT_FALSE(verifies(key, Algorithm::es256, rfc7515::a2_input, rfc7515::a3_signature));
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
  EXPECT_TRUE(key->verify(Algorithm::es256, "input", raw));
  EXPECT_FALSE(key->verify(Algorithm::es256, "input", made.der));
  EXPECT_FALSE(key->verify(Algorithm::es256, "input", std::span(raw).first(63)));
  auto longer = raw;
  longer.push_back(0);
  EXPECT_FALSE(key->verify(Algorithm::es256, "input", longer));
  EXPECT_FALSE(key->verify(Algorithm::es256, "input", std::vector<std::uint8_t>(64)));  // r = s = 0, CVE-2022-21449
  auto half = raw;
  std::fill(half.begin() + 32, half.end(), std::uint8_t{0});
  EXPECT_FALSE(key->verify(Algorithm::es256, "input", half));
  for (std::size_t bit = 0; bit < 512; bit += 7) {
    auto flipped = raw;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << bit % 8));
    EXPECT_FALSE(key->verify(Algorithm::es256, "input", flipped)) << bit;
  }
}

TEST(VerificationKey, EdDsaIsThatOfRfc8037AppendixA5) {
  const auto key = VerificationKey::from_ed25519(rfc8037_key().public_key());
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->is_for(Algorithm::eddsa));
  EXPECT_TRUE(verifies(*key, Algorithm::eddsa, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                       "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"));
}

TEST(VerificationKey, RefusesWeakAndUnknownKeys) {
  EXPECT_FALSE(VerificationKey::from_shared_secret(Secret(std::string(31, 'x'))));
  EXPECT_TRUE(VerificationKey::from_shared_secret(Secret(std::string(32, 'x'))));
  EXPECT_FALSE(VerificationKey::from_ed25519({}));
  EXPECT_FALSE(VerificationKey::from_pkey(nullptr));
  EXPECT_FALSE(VerificationKey::from_pkey(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-224"))));
  EXPECT_FALSE(VerificationKey::from_pkey(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "secp256k1"))));
  EXPECT_FALSE(VerificationKey::from_pkey(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"))));
  EXPECT_FALSE(VerificationKey::from_pkey(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"))));
  EXPECT_FALSE(VerificationKey::from_pkey(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024}))));
}

TEST(VerificationKey, ASecretIsForWhatItIsLongEnoughFor) {
  const auto is_for = [](std::size_t bytes, Algorithm algorithm) {
    return VerificationKey::from_shared_secret(Secret(std::string(bytes, 'x')))->is_for(algorithm);
  };
  EXPECT_TRUE(is_for(32, Algorithm::hs256) && !is_for(32, Algorithm::hs384) && !is_for(32, Algorithm::hs512));
  EXPECT_TRUE(is_for(48, Algorithm::hs384) && !is_for(63, Algorithm::hs512));
  EXPECT_TRUE(is_for(64, Algorithm::hs256) && is_for(64, Algorithm::hs512));
}

TEST(VerificationKey, BindsOnlyToWhatItsKindCan) {
  auto rsa = VerificationKey::from_pkey(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})));
  ASSERT_TRUE(rsa);
  EXPECT_TRUE(rsa->is_for(Algorithm::rs256) && !rsa->is_for(Algorithm::ps256));
  EXPECT_FALSE(rsa->bind(Algorithm::es256));
  EXPECT_TRUE(rsa->is_for(Algorithm::rs256));
  EXPECT_TRUE(rsa->bind(Algorithm::ps512));
  EXPECT_TRUE(rsa->is_for(Algorithm::ps512) && !rsa->is_for(Algorithm::rs256));
}

TEST(Algorithm, HasItsNameInJose) {
  EXPECT_EQ(to_string(Algorithm::eddsa), "EdDSA");
  EXPECT_EQ(to_string(Algorithm::ps384), "PS384");
  for (const char* name : {"EdDSA", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
                           "HS256", "HS384", "HS512"}) {
    ASSERT_TRUE(parse_algorithm(name)) << name;
    EXPECT_EQ(to_string(*parse_algorithm(name)), name);
  }
  EXPECT_EQ(parse_algorithm("Ed25519"), Algorithm::eddsa);
  for (const char* name : {"", "none", "eddsa", "Ed448", "ES256K", "RS1", "ES256 "})
    EXPECT_FALSE(parse_algorithm(name));
}

TEST(Algorithm, ListsAreOfRsaAlone) {
  const auto read = parse_rsa_algorithms("PS256, RS512");
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (AlgorithmSet{Algorithm::rs256, Algorithm::ps256, Algorithm::rs512}));
  for (const char* list : {"", "PS256,", "HS256", "ES256", "EdDSA", "ps256", "PS256;RS512"}) {
    const auto refused = parse_rsa_algorithms(list);
    ASSERT_FALSE(refused) << list;
    EXPECT_NE(refused.error().detail.find("RS256"), std::string::npos);
  }
}

}  // namespace
}  // namespace latchkey::jwt
