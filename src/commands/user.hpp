#pragma once

// Commands on a user: what holds for all keys of that user id (key/user.hpp).

#include "commands/named_change.hpp"
#include "commands/update_key.hpp"

namespace latchkey::commands {

/// The whole row but `disabled`, which PutUser neither sets nor clears. Members keep their rules.
struct PutUser {
  std::optional<std::string> plan;
  LimitList limits;
  std::string metadata = "{}";
};

/// What shall be different; whatever is nullopt stays.
struct PatchUser {
  std::optional<std::optional<std::string>> plan{};  // within: nullopt: none
  std::optional<LimitList> limits{};
  std::optional<bool> disabled{};
  std::optional<std::string> metadata{};
  Metadata metadata_mode = Metadata::replace;
};

using UserDone = NamedDone<User>;

/// Pure: the new row. `plan`: that of the row afterwards, where it names one.
NamedDecision<User> decide(const PutUser& command, const std::string& user_id, const PutCondition& condition,
                           const std::optional<User>& current, const Author& author);
NamedDecision<User> decide(const PatchUser& command, const Precondition& precondition,
                           const std::optional<User>& current, const Author& author);
NamedDecision<User> decide_delete_user(const Precondition& precondition, const std::optional<User>& current,
                                       bool has_keys, const Author& author);

void put_user(store::KeyStore& store, std::string user_id, PutUser command, PutCondition condition,
              const Author& author, const std::optional<IdempotencyKey>& idempotency, UserDone done);
/// not_found unless an admin has made such a user.
void patch_user(store::KeyStore& store, std::string user_id, PatchUser command, Precondition precondition,
                const Author& author, const std::optional<IdempotencyKey>& idempotency, UserDone done);
/// in_use while the user is disabled and has keys left: they would be let in again.
void delete_user(store::KeyStore& store, std::string user_id, Precondition precondition, const Author& author,
                 const std::optional<IdempotencyKey>& idempotency, UserDone done);

}  // namespace latchkey::commands
