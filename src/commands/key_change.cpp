#include "commands/key_change.hpp"

#include <algorithm>
#include <memory>

namespace latchkey::commands {

std::optional<NewRow> if_changed(const AccessKey& current, AccessKey next, std::string_view action,
                                 const Author& author) {
  if (next == current) return std::nullopt;
  next.updated_at = std::max(author.now, UnixMillis{current.updated_at.count + 1});
  next.updated_by = author.actor;
  return NewRow{std::move(next), action};
}

Result<void> check_not_deleted(const AccessKey& key) {
  if (key.deleted) return Error(ErrorCode::conflict, "the key has been deleted");
  return {};
}

Result<AccessKey> change_key(store::Transaction& transaction, KeyId id, const Precondition& precondition,
                             const std::function<Decision(const AccessKey&)>& decide) {
  const auto found = transaction.find_key(id);
  if (!found) return found.error();
  if (!*found) return Error(ErrorCode::not_found, "no such key");
  const AccessKey& current = **found;
  if (!precondition.holds(current.version)) {
    return Error(ErrorCode::precondition_failed, "the key has changed since it was read");
  }
  auto decision = decide(current);
  if (!decision) return decision.error();
  if (!*decision) return current;
  NewRow& row = **decision;
  const auto version = transaction.put_key(row.key, row.action);
  if (!version) return version.error();
  row.key.version = *version;
  return std::move(row.key);
}

void commit_key_change(store::KeyStore& store, store::AuditNote note,
                       std::function<Result<AccessKey>(store::Transaction&)> work, KeyDone done) {
  auto out = std::make_shared<KeyAnswer>();
  store.transact(
      [out, note = std::move(note), work = std::move(work)](store::Transaction& transaction) -> Result<void> {
        auto row = work(transaction);
        if (!row) return row.error();
        auto terms = terms_of(transaction, *row);
        if (!terms) return terms.error();
        *out = {std::move(*row), {}, std::move(*terms)};
        return transaction.note(note);
      },
      [out, done = std::move(done)](Result<LogEnd> commit) mutable {
        if (!commit) return done(commit.error());
        out->commit = *commit;
        done(std::move(*out));
      });
}

}  // namespace latchkey::commands
