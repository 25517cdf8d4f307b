#pragma once

// Rows as the API shows them.

#include <span>
#include <string>

#include "base/json_writer.hpp"
#include "commands/key_terms.hpp"
#include "key/access_key.hpp"
#include "key/change.hpp"
#include "key/position.hpp"
#include "key/signing_key.hpp"
#include "service/held_plan.hpp"

namespace latchkey::keys_service {

/// "keyId","userId","role","name","metadata","requestsPerMinute","plan","limits","scopes","networks","labels","issuedAt",
/// "previousValidUntil",
/// "expiresAt","status","createdAt","updatedAt","updatedBy","position", into an object that is open. `status` is as of `now`; `position` is
/// that of the row's last change.
void write_members(JsonWriter& out, const AccessKey& key, Epoch epoch, UnixMillis now);
/// "effective":{"plan","limits","scopes","networks","userDisabled"}: what holds for the key by now.
void write_effective(JsonWriter& out, const AccessKey& key, const commands::KeyTerms& terms);
/// The members and then "effective", as an object.
std::string to_json(const AccessKey& key, const commands::KeyTerms& terms, Epoch epoch, UnixMillis now);
/// Without what is in force.
std::string to_json(const AccessKey& key, Epoch epoch, UnixMillis now);

/// What its holder sees. The views are the key's.
service::HeldPlan held_plan_of(const AccessKey& key, const commands::KeyTerms& terms, Epoch epoch, UnixMillis now);

/// {"position","at","actor","action","key" | "signingKey" | "plan" | "user"}; a key's status is as of the change.
void write(JsonWriter& out, const Change& change, Epoch epoch);

/// "keys":[{"kid","state","publicKey","createdAt","updatedAt"}…], into an object that is open; a public key is
/// base64url.
void write_members(JsonWriter& out, std::span<const SigningKey> keys);

/// The entity tag of a row: its version in quotes.
std::string etag_of(const AccessKey& key);

}  // namespace latchkey::keys_service
