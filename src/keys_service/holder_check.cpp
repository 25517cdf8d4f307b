#include "keys_service/holder_check.hpp"

#include <algorithm>

#include "jwt/access_token.hpp"

namespace latchkey::keys_service {
namespace {

using access::Refusal;

Refusal refusal_of(jwt::TokenFault fault) {
  switch (fault) {
    case jwt::TokenFault::another_kind:
      return Refusal::wrong_kind;
    case jwt::TokenFault::another_role:
      return Refusal::wrong_role;
    case jwt::TokenFault::malformed:
      break;
  }
  return Refusal::malformed;
}

const SigningKey* usable_key(const std::vector<SigningKey>& keys, std::string_view kid) {
  const auto found = std::find_if(keys.begin(), keys.end(), [kid](const SigningKey& key) {
    return key.kid == kid && key.state != SigningKeyState::retired;
  });
  return found == keys.end() ? nullptr : &*found;
}

HolderOutcome judge(const AccessKey& key, const jwt::AccessClaims& claims, UnixMillis now) {
  if (const auto refusal = judge_row(key, claims.user_id, claims.issued_at, now)) return *refusal;
  return HeldKey{key, claims.issued_at};
}

}  // namespace

std::optional<Refusal> judge_row(const AccessKey& key, std::string_view user_id, IssueTime presented, UnixMillis now) {
  const bool in_grace = key.previous && presented == key.previous->issued_at && now < key.previous->valid_until;
  if (user_id != key.user_id || (presented != key.issued_at && !in_grace)) return Refusal::rotated;
  switch (status_of(key, now)) {
    case KeyStatus::deleted:
      return Refusal::deleted;
    case KeyStatus::disabled:
      return Refusal::disabled;
    case KeyStatus::expired:
      return Refusal::expired;
    case KeyStatus::active:
      break;
  }
  return std::nullopt;
}

HolderOutcome check_holder(store::KeyStore& store, std::string_view token, UnixMillis now) {
  const auto parsed = jwt::parse_access_token(token);
  if (!parsed) return refusal_of(parsed.error());
  const auto signing_keys = store.signing_keys();
  if (!signing_keys) return signing_keys.error();
  const SigningKey* signing_key = usable_key(*signing_keys, parsed->kid);
  if (signing_key == nullptr) return Refusal::unknown_key;
  const auto row = store.find_key(parsed->claims.key_id);
  if (!row) return row.error();
  if (!*row) return Refusal::unknown_key;
  if (!jwt::verify(*parsed, signing_key->public_key)) return Refusal::bad_signature;
  return judge(**row, parsed->claims, now);
}

}  // namespace latchkey::keys_service
