#pragma once

// Rows as the API shows them (design.md 8).

#include <span>
#include <string>

#include "key/access_key.hpp"
#include "key/change.hpp"
#include "key/position.hpp"
#include "key/signing_key.hpp"

namespace latchkey::keys_service {

/// {"keyId","userId","role","name","metadata","requestsPerMinute","issuedAt","expiresAt","status","createdAt",
///  "updatedAt","updatedBy","position"}. `status` is as of `now`; `position` is that of the row's last change.
std::string to_json(const AccessKey& key, Epoch epoch, UnixMillis now);

/// What its holder sees: {"keyId","userId","requestsPerMinute","expiresAt","status","issuedAt","position"}.
std::string plan_json(const AccessKey& key, Epoch epoch, UnixMillis now);

/// {"kid","state","publicKey","createdAt","updatedAt"}; the public key is base64url.
std::string to_json(const SigningKey& key);

/// {"position","at","actor","action","key" | "signingKey"}; a key's status is as of the change.
std::string to_json(const Change& change, Epoch epoch);

/// {"keys":[…]}
std::string signing_keys_json(std::span<const SigningKey> keys);

/// The entity tag of a row: its version in quotes.
std::string etag_of(const AccessKey& key);

}  // namespace latchkey::keys_service
