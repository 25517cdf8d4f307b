#include "jwt/verification_key.hpp"

#include <openssl/core_names.h>
#include <openssl/hmac.h>

#include <array>

#include "jwt/base64url.hpp"
#include "jwt/ed25519.hpp"

namespace latchkey::jwt {
namespace {

constexpr std::array<std::string_view, 4> names = {"EdDSA", "ES256", "RS256", "HS256"};

Error unusable(const char* why) { return Error(ErrorCode::invalid, std::string("unusable public key: ") + why); }

bool verify_sha256(EVP_PKEY* key, std::string_view message, std::span<const std::uint8_t> signature) {
  const MdCtxPtr context(EVP_MD_CTX_new());
  const auto bytes = as_bytes(message);
  return context && EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key, nullptr) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(), bytes.size()) == 1;
}

// OpenSSL speaks DER where JOSE has r || s (RFC 7518, 3.4).
bool verify_es256(EVP_PKEY* key, std::string_view message, std::span<const std::uint8_t> signature) {
  if (signature.size() != 64) return false;
  const EcdsaSigPtr pair(ECDSA_SIG_new());
  BignumPtr r(BN_bin2bn(signature.data(), 32, nullptr));
  BignumPtr s(BN_bin2bn(signature.data() + 32, 32, nullptr));
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return false;
  static_cast<void>(r.release());  // the pair owns them now
  static_cast<void>(s.release());
  std::array<std::uint8_t, 80> der{};
  std::uint8_t* end = der.data();
  if (i2d_ECDSA_SIG(pair.get(), nullptr) > static_cast<int>(der.size())) return false;
  const int size = i2d_ECDSA_SIG(pair.get(), &end);
  return size > 0 && verify_sha256(key, message, {der.data(), static_cast<std::size_t>(size)});
}

bool verify_hs256(const Secret& secret, std::string_view message, std::span<const std::uint8_t> signature) {
  std::array<std::uint8_t, 32> expected{};
  const auto key = secret.reveal();
  const auto bytes = as_bytes(message);
  return signature.size() == expected.size() &&
         HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes.data(), bytes.size(), expected.data(),
              nullptr) != nullptr &&
         CRYPTO_memcmp(expected.data(), signature.data(), expected.size()) == 0;
}

Result<Algorithm> check_ec(EVP_PKEY* key) {
  std::array<char, 64> group{};
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(), nullptr) != 1 ||
      std::string_view(group.data()) != "prime256v1") {
    return unusable("EC keys must be on P-256");
  }
  return Algorithm::es256;
}

Result<Algorithm> check_rsa(EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < min_rsa_bits || bits > max_rsa_bits) return unusable("RSA keys must have 2048 to 8192 bits");
  BIGNUM* raw = nullptr;
  const bool read = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw) == 1;
  const BignumPtr exponent(raw);
  if (!read || !BN_is_odd(exponent.get()) || BN_is_one(exponent.get())) {
    return unusable("the RSA exponent must be odd and at least 3");
  }
  return Algorithm::rs256;
}

}  // namespace

std::string_view to_string(Algorithm algorithm) { return names[static_cast<std::size_t>(algorithm)]; }

Result<VerificationKey> VerificationKey::from_pkey(PkeyPtr key) {
  const int kind = key ? EVP_PKEY_get_base_id(key.get()) : EVP_PKEY_NONE;
  if (kind == EVP_PKEY_ED25519) {
    Ed25519PublicKey raw{};
    std::size_t size = raw.size();
    if (EVP_PKEY_get_raw_public_key(key.get(), raw.data(), &size) != 1) return unusable("no Ed25519 point");
    return from_ed25519(raw);
  }
  if (kind != EVP_PKEY_EC && kind != EVP_PKEY_RSA) return unusable("neither Ed25519 nor EC on P-256 nor RSA");
  const auto algorithm = kind == EVP_PKEY_EC ? check_ec(key.get()) : check_rsa(key.get());
  if (!algorithm) return algorithm.error();
  return VerificationKey(*algorithm, std::move(key));
}

Result<VerificationKey> VerificationKey::from_ed25519(const Ed25519PublicKey& key) {
  if (!is_usable(key)) return unusable("an Ed25519 point of small order or in no canonical form");
  return VerificationKey(Algorithm::eddsa, key);
}

Result<VerificationKey> VerificationKey::from_shared_secret(Secret secret) {
  if (secret.reveal().size() < min_shared_secret_bytes) {
    return Error(ErrorCode::invalid, "a shared secret for HS256 must have at least 32 bytes");
  }
  return VerificationKey(Algorithm::hs256, std::move(secret));
}

bool VerificationKey::verify(std::string_view message, std::span<const std::uint8_t> signature) const {
  switch (algorithm_) {
    case Algorithm::eddsa:
      return ed25519_verify(std::get<Ed25519PublicKey>(material_), message, signature);
    case Algorithm::es256:
      return verify_es256(std::get<PkeyPtr>(material_).get(), message, signature);
    case Algorithm::rs256:
      return verify_sha256(std::get<PkeyPtr>(material_).get(), message, signature);
    case Algorithm::hs256:
      return verify_hs256(std::get<Secret>(material_), message, signature);
  }
  return false;
}

}  // namespace latchkey::jwt
