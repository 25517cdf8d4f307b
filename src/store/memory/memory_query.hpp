#pragma once

// What the reference engine's reads answer, written as plainly as the contract.

#include <vector>

#include "store/memory/memory_store.hpp"

namespace latchkey::store {

std::vector<KeyId> list_key_ids_of(const MemoryStore::State& state, const KeyPageRequest& request);
/// What the key becomes; nullopt: the change does not mean it, or it is so already.
std::optional<AccessKey> changed_by(const ManyKeys& change, const AccessKey& key);
KeyPage list_keys_of(const MemoryStore::State& state, const KeyPageRequest& request);
std::vector<SigningKey> signing_keys_of(const MemoryStore::State& state);
std::optional<Plan> find_plan_in(const MemoryStore::State& state, std::string_view name);
std::optional<User> find_user_in(const MemoryStore::State& state, std::string_view user_id);
PlanPage list_plans_of(const MemoryStore::State& state, const NamePageRequest& request);
UserPage list_users_of(const MemoryStore::State& state, const NamePageRequest& request);
PlanUses plan_uses_in(const MemoryStore::State& state, std::string_view name);
bool has_keys_in(const MemoryStore::State& state, std::string_view user_id);
std::vector<KeyId> keys_without_limit_in(const MemoryStore::State& state, const TermsScope& scope, std::size_t most);
std::vector<KeyId> keys_past_limits_in(const MemoryStore::State& state, const TermsScope& scope, std::size_t most);
AuditPage audit_of(const MemoryStore::State& state, const AuditQuery& query);

std::vector<Notice> notices_after_in(const MemoryStore::State& state, std::uint64_t after, std::size_t limit);

/// What Transaction::erase_history() does to what is there; how many changes were rewritten.
std::uint64_t erase_history_in(MemoryStore::State& state, const Erasure& erasure);

}  // namespace latchkey::store
