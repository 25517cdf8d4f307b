#pragma once

#include "commands/key_change.hpp"

namespace latchkey::commands {

/// The holder turns the own key off. One that is off already stays so and that is no error; the issue that asks must
/// still be the key's (current, or in its grace), or it is not_found: the key was rotated while the request waited.
Decision decide_disable_own(const AccessKey& current, IssueTime presented, const Author& author);

/// The actor is "key:<key id>".
void disable_own_key(store::KeyStore& store, KeyId id, IssueTime presented, UnixMillis now,
                     const store::AuditNote& note, KeyDone done);

}  // namespace latchkey::commands
