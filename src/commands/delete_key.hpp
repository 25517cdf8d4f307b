#pragma once

#include "commands/act.hpp"

namespace latchkey::commands {

/// Deleted is final; deleting again changes nothing and is no error.
Decision decide_delete(const AccessKey& current, const Act& act);

void delete_key(store::KeyStore& store, KeyId id, const Precondition& precondition, const Act& act, KeyDone done);

}  // namespace latchkey::commands
