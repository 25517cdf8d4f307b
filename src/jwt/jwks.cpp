#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>

#include "jwt/base64url.hpp"
#include "jwt/jose.hpp"
#include "jwt/public_keys.hpp"

namespace latchkey::jwt {
namespace {

Error refused(std::string_view why) { return Error(ErrorCode::invalid, "JWK Set refused: " + std::string(why)); }

// Private members of RFC 7518 (6.2.2, 6.3.2, 6.4.1) and RFC 8037 (2).
bool holds_secret(const json::object& jwk) {
  constexpr std::array<std::string_view, 8> members = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
  return string_member(jwk, "kty") == "oct" ||
         std::any_of(members.begin(), members.end(), [&](std::string_view name) { return jwk.contains(name); });
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
  const auto x = string_member(jwk, "x");
  Ed25519PublicKey key{};
  if (!x || !decode_base64url(*x, key)) return refused("an OKP key needs x, 32 bytes");
  return VerificationKey::from_ed25519(key);
}

Result<VerificationKey> read_ec(const json::object& jwk) {
  const auto x = bytes_member(jwk, "x");
  const auto y = bytes_member(jwk, "y");
  if (!x || !y || x->size() != 32 || y->size() != 32) return refused("an EC key needs x and y, 32 bytes each");
  const std::string point = '\x04' + *x + *y;  // uncompressed, SEC 1
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  PkeyPtr key = make_public_key("EC", builder.get());
  if (!key) return refused("an EC key's point is not on P-256");
  return VerificationKey::from_pkey(std::move(key));
}

BignumPtr to_bignum(std::string_view bytes) {
  return BignumPtr(BN_bin2bn(as_bytes(bytes).data(), static_cast<int>(bytes.size()), nullptr));
}

Result<VerificationKey> read_rsa(const json::object& jwk) {
  const auto n = bytes_member(jwk, "n");
  const auto e = bytes_member(jwk, "e");
  if (!n || !e || n->size() > max_rsa_bits / 8 + 1 || e->size() > 8) return refused("an RSA key needs n and e");
  const BignumPtr modulus = to_bignum(*n);
  const BignumPtr exponent = to_bignum(*e);
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  PkeyPtr key = make_public_key("RSA", builder.get());
  if (!key) return refused("an RSA key cannot be used");
  return VerificationKey::from_pkey(std::move(key));
}

// One row a key type we know: what selects it, what it is for, how it is read.
struct Kind {
  std::string_view kty;
  std::optional<std::string_view> crv;
  Algorithm algorithm;
  Result<VerificationKey> (*read)(const json::object&);
};
const std::array<Kind, 3> kinds = {{{"OKP", "Ed25519", Algorithm::eddsa, read_okp},
                                    {"EC", "P-256", Algorithm::es256, read_ec},
                                    {"RSA", std::nullopt, Algorithm::rs256, read_rsa}}};

bool is_for_verifying(const json::object& jwk) {
  if (jwk.contains("use") && string_member(jwk, "use") != "sig") return false;
  const auto* operations = jwk.if_contains("key_ops");
  if (!operations) return true;
  const auto* list = operations->if_array();
  return list && std::find(list->begin(), list->end(), json::value("verify")) != list->end();
}

const Kind* kind_of(const json::object& jwk) {
  const auto found = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& kind) {
    return string_member(jwk, "kty") == kind.kty && (!kind.crv || string_member(jwk, "crv") == kind.crv) &&
           (!jwk.contains("alg") || string_member(jwk, "alg") == to_string(kind.algorithm));
  });
  return found == kinds.end() || !is_for_verifying(jwk) ? nullptr : &*found;
}

// Adds the key, or nothing where it is none of ours.
Result<void> add_jwk(const json::value& value, std::vector<VerificationKey>& keys) {
  const auto* jwk = value.if_object();
  if (!jwk) return refused("a key is not an object");
  if (holds_secret(*jwk)) return refused("it holds a symmetric or private key");
  const auto* kind = kind_of(*jwk);
  if (!kind) return {};
  if (jwk->contains("kid") && !string_member(*jwk, "kid")) return refused("a kid is not a string");
  auto key = kind->read(*jwk);
  if (!key) return key.error();
  if (const auto kid = string_member(*jwk, "kid")) key->kid = std::string(*kid);
  keys.push_back(std::move(*key));
  return {};
}

}  // namespace

Result<std::vector<VerificationKey>> read_jwks(std::string_view text) {
  const auto document = parse_json(text);
  if (!document) return document.error();
  const auto* object = document->if_object();
  const auto* member = object ? object->if_contains("keys") : nullptr;
  const auto* list = member ? member->if_array() : nullptr;
  if (!list) return refused("no member keys with an array");
  std::vector<VerificationKey> keys;
  for (const auto& jwk : *list) {
    if (auto added = add_jwk(jwk, keys); !added) return added.error();
  }
  if (keys.empty()) return refused("it has no key for EdDSA, ES256 or RS256");
  return keys;
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
