#pragma once

#include "commands/issue.hpp"

namespace latchkey::commands {

/// `grace`: how long the token before still passes; at most max_grace_period. nullopt: not at all.
struct RotateKey {
  std::optional<std::chrono::seconds> grace;
};

/// The issue time moves strictly forward. A disabled or expired key may be rotated and stays what it is: a leaked token
/// can be made worthless before the key is let in again. Only the latest earlier issue can have a grace.
Decision decide(const RotateKey& command, const AccessKey& current, const Author& author);

void rotate_key(store::KeyStore& store, KeyRing& ring, KeyId id, RotateKey command, const Precondition& precondition,
                const Author& author, const std::optional<IdempotencyKey>& idempotency, IssuedDone done);

}  // namespace latchkey::commands
