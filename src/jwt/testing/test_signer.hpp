#pragma once

// For tests only: signs as an identity provider does, with keys made on the spot, in every algorithm we know.

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "jwt/algorithm.hpp"
#include "jwt/base64url.hpp"
#include "jwt/openssl_ptr.hpp"
#include "jwt/testing/hand_made_token.hpp"

namespace latchkey::jwt {

class TestSigner {
 public:
  static TestSigner rsa(unsigned bits = 2048) {
    return TestSigner(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{bits})));
  }
  static TestSigner ec(const char* curve) {
    return TestSigner(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve)));
  }
  static TestSigner ed25519() { return TestSigner(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))); }

  /// The public key as a JWK, with more members: `"kid":"a","use":"sig"`.
  json::object jwk(std::string_view more = {}) const {
    json::object object = json::parse('{' + std::string(more) + '}').as_object();
    switch (EVP_PKEY_get_base_id(key_.get())) {
      case EVP_PKEY_RSA:
        object["kty"] = "RSA";
        object["n"] = number(OSSL_PKEY_PARAM_RSA_N);
        object["e"] = number(OSSL_PKEY_PARAM_RSA_E);
        break;
      case EVP_PKEY_EC:
        object["kty"] = "EC";
        object["crv"] = coordinate_bytes() == 32 ? "P-256" : coordinate_bytes() == 48 ? "P-384" : "P-521";
        object["x"] = number(OSSL_PKEY_PARAM_EC_PUB_X, coordinate_bytes());
        object["y"] = number(OSSL_PKEY_PARAM_EC_PUB_Y, coordinate_bytes());
        break;
      default:
        object["kty"] = "OKP";
        object["crv"] = "Ed25519";
        object["x"] = raw_public_key();
    }
    return object;
  }

  std::string token(std::string_view header, std::string_view claims) const {
    const auto named = json::parse(header).as_object();
    const auto algorithm = parse_algorithm(std::string_view(named.at("alg").as_string()));
    const std::string input = hand_made_input(header, claims);
    return input + '.' + encode_base64url(signature(*algorithm, input));
  }

 private:
  explicit TestSigner(PkeyPtr key) : key_(std::move(key)) { EXPECT_TRUE(key_); }

  std::size_t coordinate_bytes() const { return (static_cast<std::size_t>(EVP_PKEY_get_bits(key_.get())) + 7) / 8; }

  std::string number(const char* name, std::size_t size = 0) const {
    BIGNUM* raw = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key_.get(), name, &raw), 1);
    const BignumPtr value(raw);
    if (size == 0) size = static_cast<std::size_t>(BN_num_bytes(value.get()));
    std::string bytes(size, '\0');
    BN_bn2binpad(value.get(), reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size));
    return encode_base64url(bytes);
  }

  std::string raw_public_key() const {
    std::array<std::uint8_t, 32> raw{};
    std::size_t size = raw.size();
    EXPECT_EQ(EVP_PKEY_get_raw_public_key(key_.get(), raw.data(), &size), 1);
    return encode_base64url(raw);
  }

  std::string signature(Algorithm algorithm, std::string_view input) const {
    const int bits = hash_bits(algorithm);
    const bool plain = kind_of(algorithm) == KeyKind::ed25519;
    const char* digest = plain ? nullptr : bits == 256 ? "SHA256" : bits == 384 ? "SHA384" : "SHA512";
    const MdCtxPtr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* inner = nullptr;
    EXPECT_EQ(EVP_DigestSignInit_ex(context.get(), &inner, digest, nullptr, nullptr, key_.get(), nullptr), 1);
    if (to_string(algorithm).starts_with("PS")) {
      EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING), 1);
      EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, RSA_PSS_SALTLEN_DIGEST), 1);
    }
    std::string made(2048, '\0');
    std::size_t size = made.size();
    auto* out = reinterpret_cast<unsigned char*>(made.data());
    EXPECT_EQ(EVP_DigestSign(context.get(), out, &size, as_bytes(input).data(), input.size()), 1);
    made.resize(size);
    return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_EC ? raw_of(made) : made;
  }

  /// r || s of DER (RFC 7518, 3.4).
  std::string raw_of(std::string_view der) const {
    const auto* at = as_bytes(der).data();
    const EcdsaSigPtr pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    const auto half = static_cast<int>(coordinate_bytes());
    std::string raw(coordinate_bytes() * 2, '\0');
    auto* out = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, half);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + half, half);
    return raw;
  }

  PkeyPtr key_;
};

inline std::string jwk_set(std::initializer_list<json::object> keys) {
  return json::serialize(json::object{{"keys", json::array(keys.begin(), keys.end())}});
}

}  // namespace latchkey::jwt
