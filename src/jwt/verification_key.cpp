#include "jwt/verification_key.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <array>

#include "jwt/base64url.hpp"
#include "jwt/ed25519.hpp"

namespace latchkey::jwt {
namespace {

Error unusable(std::string_view why) { return Error(ErrorCode::invalid, std::string(why)); }

const char* digest_name(Algorithm algorithm) {
  const int bits = hash_bits(algorithm);
  return bits == 256 ? "SHA256" : bits == 384 ? "SHA384" : "SHA512";
}

bool is_pss(Algorithm algorithm) {
  return algorithm == Algorithm::ps256 || algorithm == Algorithm::ps384 || algorithm == Algorithm::ps512;
}

// RFC 7518 (3.5): MGF1 with the same hash, a salt as long as the hash. OpenSSL takes the hash for MGF1 by itself.
bool ask_for_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool verify_digest(EVP_PKEY* key, Algorithm algorithm, std::string_view message,
                   std::span<const std::uint8_t> signature) {
  const MdCtxPtr context(EVP_MD_CTX_new());
  const auto bytes = as_bytes(message);
  EVP_PKEY_CTX* inner = nullptr;  // the context's own
  return context &&
         EVP_DigestVerifyInit_ex(context.get(), &inner, digest_name(algorithm), nullptr, nullptr, key, nullptr) == 1 &&
         (!is_pss(algorithm) || ask_for_pss(inner)) &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(), bytes.size()) == 1;
}

std::size_t coordinate_bytes(KeyKind kind) { return kind == KeyKind::p256 ? 32 : kind == KeyKind::p384 ? 48 : 66; }

// OpenSSL speaks DER where JOSE has r || s (RFC 7518, 3.4).
bool verify_ecdsa(EVP_PKEY* key, Algorithm algorithm, std::string_view message,
                  std::span<const std::uint8_t> signature) {
  const std::size_t half = coordinate_bytes(kind_of(algorithm));
  if (signature.size() != 2 * half) return false;
  const EcdsaSigPtr pair(ECDSA_SIG_new());
  BignumPtr r(BN_bin2bn(signature.data(), static_cast<int>(half), nullptr));
  BignumPtr s(BN_bin2bn(signature.data() + half, static_cast<int>(half), nullptr));
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return false;
  static_cast<void>(r.release());  // the pair owns them now
  static_cast<void>(s.release());
  std::array<std::uint8_t, 160> der{};  // two integers of at most 67 bytes, and what frames them
  std::uint8_t* end = der.data();
  if (i2d_ECDSA_SIG(pair.get(), nullptr) > static_cast<int>(der.size())) return false;
  const int size = i2d_ECDSA_SIG(pair.get(), &end);
  return size > 0 && verify_digest(key, algorithm, message, {der.data(), static_cast<std::size_t>(size)});
}

bool verify_hmac(const Secret& secret, Algorithm algorithm, std::string_view message,
                 std::span<const std::uint8_t> signature) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> expected{};
  const auto size = static_cast<std::size_t>(hash_bits(algorithm)) / 8;
  const auto key = secret.reveal();
  const auto bytes = as_bytes(message);
  return signature.size() == size &&
         HMAC(EVP_get_digestbyname(digest_name(algorithm)), key.data(), static_cast<int>(key.size()), bytes.data(),
              bytes.size(), expected.data(), nullptr) != nullptr &&
         CRYPTO_memcmp(expected.data(), signature.data(), size) == 0;
}

struct Curve {
  std::string_view name;
  KeyKind kind;
  Algorithm algorithm;
};
constexpr std::array<Curve, 3> curves = {{{"prime256v1", KeyKind::p256, Algorithm::es256},
                                          {"secp384r1", KeyKind::p384, Algorithm::es384},
                                          {"secp521r1", KeyKind::p521, Algorithm::es512}}};

Result<Curve> curve_of(EVP_PKEY* key) {
  std::array<char, 64> group{};
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(), nullptr) == 1) {
    for (const auto& curve : curves) {
      if (curve.name == group.data()) return curve;
    }
  }
  return unusable("an EC key must be on P-256, P-384 or P-521");
}

Result<void> check_rsa(EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < min_rsa_bits || bits > max_rsa_bits) {
    return unusable(
        fmt::format("an RSA key must have {} to {} bits, this one has {}", min_rsa_bits, max_rsa_bits, bits));
  }
  BIGNUM* raw = nullptr;
  const bool read = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw) == 1;
  const BignumPtr exponent(raw);
  if (!read || !BN_is_odd(exponent.get()) || BN_is_one(exponent.get())) {
    return unusable("the exponent of an RSA key must be odd and at least 3");
  }
  return {};
}

}  // namespace

Result<VerificationKey> VerificationKey::from_pkey(PkeyPtr key, AlgorithmSet rsa) {
  const int kind = key ? EVP_PKEY_get_base_id(key.get()) : EVP_PKEY_NONE;
  if (kind == EVP_PKEY_ED25519) {
    Ed25519PublicKey raw{};
    std::size_t size = raw.size();
    if (EVP_PKEY_get_raw_public_key(key.get(), raw.data(), &size) != 1) return unusable("no Ed25519 point");
    return from_ed25519(raw);
  }
  if (kind == EVP_PKEY_EC) {
    const auto curve = curve_of(key.get());
    if (!curve) return curve.error();
    return VerificationKey(curve->kind, {curve->algorithm}, std::move(key));
  }
  if (kind != EVP_PKEY_RSA) return unusable("the key is neither Ed25519 nor EC nor RSA");
  if (auto checked = check_rsa(key.get()); !checked) return checked.error();
  return VerificationKey(KeyKind::rsa, rsa, std::move(key));
}

Result<VerificationKey> VerificationKey::from_ed25519(const Ed25519PublicKey& key) {
  if (!is_usable(key)) return unusable("an Ed25519 point of small order or in no canonical form");
  return VerificationKey(KeyKind::ed25519, {Algorithm::eddsa}, key);
}

Result<VerificationKey> VerificationKey::from_shared_secret(Secret secret) {
  const std::size_t size = secret.reveal().size();
  if (size < min_shared_secret_bytes) {
    return Error(ErrorCode::invalid,
                 "a shared secret must have at least 32 bytes for HS256, 48 for HS384, 64 for HS512");
  }
  AlgorithmSet algorithms;
  for (const auto algorithm : {Algorithm::hs256, Algorithm::hs384, Algorithm::hs512}) {
    if (size >= static_cast<std::size_t>(hash_bits(algorithm)) / 8) algorithms.add(algorithm);
  }
  return VerificationKey(KeyKind::secret, algorithms, std::move(secret));
}

Result<void> VerificationKey::bind(Algorithm algorithm) {
  if (kind_of(algorithm) != kind_) {
    return unusable(fmt::format("its alg, {}, is not for a key of this kind", to_string(algorithm)));
  }
  algorithms_ = {algorithm};
  return {};
}

bool VerificationKey::verify(Algorithm algorithm, std::string_view message,
                             std::span<const std::uint8_t> signature) const {
  if (!is_for(algorithm)) return false;
  switch (kind_) {
    case KeyKind::ed25519:
      return ed25519_verify(std::get<Ed25519PublicKey>(material_), message, signature);
    case KeyKind::p256:
    case KeyKind::p384:
    case KeyKind::p521:
      return verify_ecdsa(std::get<PkeyPtr>(material_).get(), algorithm, message, signature);
    case KeyKind::rsa:
      return verify_digest(std::get<PkeyPtr>(material_).get(), algorithm, message, signature);
    case KeyKind::secret:
      return verify_hmac(std::get<Secret>(material_), algorithm, message, signature);
  }
  return false;
}

}  // namespace latchkey::jwt
