#pragma once

#include "commands/key_change.hpp"

namespace latchkey::commands {

/// The issue before the last rotation passes no longer. Nothing changes where none was left to pass. The change is
/// called "end-grace".
Decision decide_end_grace(const AccessKey& current, const Author& author);

void end_grace(store::KeyStore& store, KeyId id, const Precondition& precondition, const Author& author, KeyDone done);

}  // namespace latchkey::commands
