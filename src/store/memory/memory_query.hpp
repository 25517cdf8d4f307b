#pragma once

// What the reference engine's reads answer, written as plainly as the contract.

#include <vector>

#include "store/memory/memory_store.hpp"

namespace latchkey::store {

KeyPage list_keys_of(const MemoryStore::State& state, const KeyPageRequest& request);
std::vector<SigningKey> signing_keys_of(const MemoryStore::State& state);

}  // namespace latchkey::store
