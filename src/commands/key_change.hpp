#pragma once

// What the commands share: the author of a change, what became of a row, and how it reaches the store.
//
//   validate (the request's own shape)  →  decide (pure: row + request + now → new row)  →  one transaction

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "commands/key_terms.hpp"
#include "commands/precondition.hpp"
#include "store/key_store.hpp"

namespace latchkey::commands {

/// Who acts, and when. `actor` is an admin's subject or "key:<key id>".
struct Author {
  std::string actor;
  UnixMillis now;
  store::AuditNote note{};  // from where, and why
};

/// What a command makes of a row, and what the change log calls it.
struct NewRow {
  AccessKey key;
  std::string_view action;
};

/// nullopt: the row is so already; nothing is written.
using Decision = Result<std::optional<NewRow>>;

/// `next` signed by its actor, with `updated_at` after the current row's even where the clock stood still or stepped
/// back; nullopt where nothing differs.
std::optional<NewRow> if_changed(const AccessKey& current, AccessKey next, std::string_view action,
                                 const Author& author);

/// ErrorCode::conflict for a deleted key: no command but another delete means anything to it.
Result<void> check_not_deleted(const AccessKey& key);

/// Inside a transaction: finds the row (not_found), holds it against `precondition`, decides and writes.
/// Returns the row as it stands afterwards, with its version.
Result<AccessKey> change_key(store::Transaction& transaction, KeyId id, const Precondition& precondition,
                             const std::function<Decision(const AccessKey&)>& decide);

/// What a command answers: the row, and the commit from which on every reader sees it so.
struct KeyAnswer {
  AccessKey key;
  LogEnd commit;
  KeyTerms terms{};  // that were in force in the same transaction
};
using KeyDone = std::move_only_function<void(Result<KeyAnswer>)>;

/// One transaction around `work`, with `note` beside what it changes. `done` runs once, after the commit, on the engine's thread.
void commit_key_change(store::KeyStore& store, store::AuditNote note,
                       std::function<Result<AccessKey>(store::Transaction&)> work, KeyDone done);

}  // namespace latchkey::commands
