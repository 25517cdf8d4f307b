#pragma once

#include "commands/key_change.hpp"

namespace latchkey::commands {

/// Deleted is final; deleting again changes nothing and is no error.
Decision decide_delete(const AccessKey& current, const Author& author);

void delete_key(store::KeyStore& store, KeyId id, const Precondition& precondition, const Author& author, KeyDone done);

}  // namespace latchkey::commands
