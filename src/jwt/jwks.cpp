#include <fmt/format.h>
#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>

#include "base/shown.hpp"
#include "jwt/base64url.hpp"
#include "jwt/jose.hpp"
#include "jwt/public_keys.hpp"

namespace latchkey::jwt {
namespace {

Error refused(std::string_view why) { return Error(ErrorCode::invalid, "JWK Set refused: " + std::string(why)); }
Error unusable_jwk(std::string why) { return Error(ErrorCode::invalid, std::move(why)); }

// Private members of RFC 7518 (6.2.2, 6.3.2, 6.4.1) and RFC 8037 (2).
bool is_private(const json::object& jwk) {
  constexpr std::array<std::string_view, 7> members = {"d", "p", "q", "dp", "dq", "qi", "oth"};
  return std::any_of(members.begin(), members.end(), [&](std::string_view name) { return jwk.contains(name); });
}

std::optional<std::string> bytes_member(const json::object& jwk, std::string_view name) {
  const auto text = string_member(jwk, name);
  return text ? decode_base64url(*text) : std::nullopt;
}

PkeyPtr make_public_key(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder));
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return PkeyPtr(key);
}

Result<VerificationKey> read_okp(const json::object& jwk) {
  const auto curve = string_member(jwk, "crv");
  if (curve != "Ed25519") return unusable_jwk("an OKP key must be on Ed25519");
  const auto x = string_member(jwk, "x");
  Ed25519PublicKey key{};
  if (!x || !decode_base64url(*x, key))
    return unusable_jwk("an OKP key needs x, 32 bytes as base64url without padding");
  return VerificationKey::from_ed25519(key);
}

struct JwkCurve {
  std::string_view name;
  const char* group;  // in OpenSSL
  std::size_t bytes;  // of a coordinate
};
constexpr std::array<JwkCurve, 3> jwk_curves = {
    {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}}};

Result<VerificationKey> read_ec(const json::object& jwk) {
  const auto name = string_member(jwk, "crv");
  const auto* const curve =
      std::find_if(jwk_curves.begin(), jwk_curves.end(), [&](const JwkCurve& c) { return c.name == name; });
  if (curve == jwk_curves.end()) return unusable_jwk("an EC key must be on P-256, P-384 or P-521");
  const auto x = bytes_member(jwk, "x");
  const auto y = bytes_member(jwk, "y");
  if (!x || !y || x->size() != curve->bytes || y->size() != curve->bytes) {
    return unusable_jwk(
        fmt::format("an EC key on {} needs x and y, {} bytes each as base64url without padding (RFC 7518, "
                    "6.2.1.2)",
                    curve->name, curve->bytes));
  }
  const std::string point = '\x04' + *x + *y;  // uncompressed, SEC 1
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  PkeyPtr key = make_public_key("EC", builder.get());
  if (!key) return unusable_jwk("an EC key's point is not on its curve");
  return VerificationKey::from_pkey(std::move(key));
}

BignumPtr to_bignum(std::string_view bytes) {
  return BignumPtr(BN_bin2bn(as_bytes(bytes).data(), static_cast<int>(bytes.size()), nullptr));
}

Result<VerificationKey> read_rsa(const json::object& jwk, AlgorithmSet algorithms) {
  const auto n = bytes_member(jwk, "n");
  const auto e = bytes_member(jwk, "e");
  if (!n || !e || e->size() > 8) return unusable_jwk("an RSA key needs n and e as base64url without padding");
  if (n->size() > max_rsa_bits / 8 + 1) return unusable_jwk("an RSA key must have 2048 to 8192 bits");
  const BignumPtr modulus = to_bignum(*n);
  const BignumPtr exponent = to_bignum(*e);
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  PkeyPtr key = make_public_key("RSA", builder.get());
  if (!key) return unusable_jwk("an RSA key cannot be used");
  return VerificationKey::from_pkey(std::move(key), algorithms);
}

// Why the key is not for us, whatever it holds; empty if it may be.
std::string_view not_for_us(const json::object& jwk) {
  if (jwk.contains("use") && string_member(jwk, "use") != "sig") return "its use is not sig";
  if (const auto* operations = jwk.if_contains("key_ops")) {
    const auto* list = operations->if_array();
    if (!list || std::find(list->begin(), list->end(), json::value("verify")) == list->end()) {
      return "its key_ops do not have verify";
    }
  }
  if (string_member(jwk, "kty") == "oct" || jwk.contains("k"))
    return "it is a secret, and this is a file of public keys";
  if (is_private(jwk)) return "it is a private key, which only the signer of tokens may have";
  if (jwk.contains("kid") && !string_member(jwk, "kid")) return "its kid is not a string";
  return {};
}

Result<VerificationKey> read_material(const json::object& jwk, AlgorithmSet rsa) {
  const auto type = string_member(jwk, "kty");
  if (type == "OKP") return read_okp(jwk);
  if (type == "EC") return read_ec(jwk);
  if (type == "RSA") return read_rsa(jwk, rsa);
  return unusable_jwk("its kty is none of OKP, EC and RSA");
}

Result<void> bind_to_its_algorithm(VerificationKey& key, const json::object& jwk) {
  if (!jwk.contains("alg")) return {};
  const auto name = string_member(jwk, "alg");
  const auto algorithm = name ? parse_algorithm(*name) : std::nullopt;
  if (!algorithm) return unusable_jwk(fmt::format("its alg is unknown: {}", name ? shown(*name) : "no string"));
  return key.bind(*algorithm);
}

Result<VerificationKey> read_jwk(const json::value& value, AlgorithmSet rsa) {
  const auto* jwk = value.if_object();
  if (!jwk) return unusable_jwk("it is no object");
  if (const auto why = not_for_us(*jwk); !why.empty()) return unusable_jwk(std::string(why));
  auto key = read_material(*jwk, rsa);
  if (!key) return key;
  if (auto bound = bind_to_its_algorithm(*key, *jwk); !bound) return bound.error();
  if (const auto kid = string_member(*jwk, "kid")) key->kid = std::string(*kid);
  return key;
}

std::string name_of(std::size_t number, const json::value& value) {
  const auto* jwk = value.if_object();
  const auto kid = jwk ? string_member(*jwk, "kid") : std::nullopt;
  return kid ? fmt::format("key {} (kid {})", number, shown(*kid)) : fmt::format("key {} (no kid)", number);
}

}  // namespace

Result<PublicKeys> read_jwks(std::string_view text, AlgorithmSet rsa) {
  const auto document = parse_json(text);
  if (!document) return document.error();
  const auto* object = document->if_object();
  const auto* member = object ? object->if_contains("keys") : nullptr;
  const auto* list = member ? member->if_array() : nullptr;
  if (!list) return refused("no member keys with an array");
  PublicKeys read;
  std::size_t number = 0;
  for (const auto& jwk : *list) add_key(read, name_of(++number, jwk), read_jwk(jwk, rsa));
  return unless_empty(std::move(read));
}

std::string to_jwks(std::span<const SigningKey> keys) {
  json::array list;
  for (const auto& key : keys) {
    if (key.state == SigningKeyState::retired) continue;
    list.push_back(json::object{{"kty", "OKP"},
                                {"crv", "Ed25519"},
                                {"alg", "EdDSA"},
                                {"use", "sig"},
                                {"kid", key.kid},
                                {"x", encode_base64url(key.public_key)}});
  }
  return json::serialize(json::object{{"keys", std::move(list)}});
}

}  // namespace latchkey::jwt
