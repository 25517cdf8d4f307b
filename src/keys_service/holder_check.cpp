#include "keys_service/holder_check.hpp"

#include <algorithm>

#include "jwt/access_token.hpp"
#include "key/issue.hpp"

namespace latchkey::keys_service {
namespace {

using access::Refusal;

const SigningKey* usable_key(const std::vector<SigningKey>& keys, std::string_view kid) {
  const auto found = std::find_if(keys.begin(), keys.end(), [kid](const SigningKey& key) {
    return key.kid == kid && key.state != SigningKeyState::retired;
  });
  return found == keys.end() ? nullptr : &*found;
}

HolderOutcome outcome_of(store::KeyStore& store, const AccessKey& key, const jwt::AccessClaims& claims,
                         UnixMillis now) {
  const auto refusal = refusal_of_issue(key, claims.user_id, claims.issued_at, now);
  if (refusal && *refusal != IssueRefusal::expired) return access::refusal_of(*refusal);
  auto terms = commands::terms_of(store, key);
  if (!terms) return terms.error();
  if (terms->user && terms->user->disabled) return Refusal::user_disabled;
  if (refusal) return access::refusal_of(*refusal);
  return HeldKey{key, claims.issued_at, std::move(*terms)};
}

}  // namespace

HolderOutcome check_holder(store::KeyStore& store, std::string_view token, UnixMillis now) {
  const auto parsed = jwt::parse_access_token(token);
  if (!parsed) return access::refusal_of(parsed.error());
  const auto signing_keys = store.signing_keys();
  if (!signing_keys) return signing_keys.error();
  const SigningKey* signing_key = usable_key(*signing_keys, parsed->kid);
  if (signing_key == nullptr) return Refusal::unknown_key;
  const auto row = store.find_key(parsed->claims.key_id);
  if (!row) return row.error();
  if (!*row) return Refusal::unknown_key;
  if (!jwt::verify(*parsed, signing_key->public_key)) return Refusal::bad_signature;
  return outcome_of(store, **row, parsed->claims, now);
}

}  // namespace latchkey::keys_service
