#include "jwt/access_key_set.hpp"

#include "base/json.hpp"
#include "jwt/base64url.hpp"
#include "key/presented_form.hpp"

namespace latchkey::jwt {
namespace {

std::string_view text_of(const json::object& key, std::string_view name) {
  const auto* value = key.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

}  // namespace

Result<AccessKeySet> read_access_key_set(std::string_view jwks) {
  const auto parsed = parse_json(jwks);
  const auto* keys = parsed && parsed->is_object() ? parsed->get_object().if_contains("keys") : nullptr;
  if (keys == nullptr || !keys->is_array()) return Error(ErrorCode::invalid, "is no JWK Set: it has no array \"keys\"");
  AccessKeySet set;
  for (const auto& key : keys->get_array()) {
    if (!key.is_object() || text_of(key.get_object(), "crv") != "Ed25519") continue;
    Ed25519PublicKey bytes{};
    const std::string_view kid = text_of(key.get_object(), "kid");
    if (!decode_base64url(text_of(key.get_object(), "x"), bytes) || kid != thumbprint(bytes)) continue;
    set.emplace(kid, bytes);
  }
  if (set.empty()) return Error(ErrorCode::invalid, "holds no signing key of Latchkey");
  return set;
}

Genuine judge(std::string_view presented, const AccessKeySet& keys, AccessClaims& claims) {
  const auto token = parse_access_token(without_prefix(presented));
  if (!token) return Genuine::no;
  claims = token->claims;
  const auto key = keys.find(token->kid);
  if (key == keys.end()) return Genuine::unknown_key;
  return verify(*token, key->second) ? Genuine::yes : Genuine::no;
}

}  // namespace latchkey::jwt
