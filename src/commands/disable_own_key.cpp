#include "commands/disable_own_key.hpp"

#include "key/issue.hpp"

namespace latchkey::commands {

Decision decide_disable_own(const AccessKey& current, IssueTime presented, const Author& author) {
  if (const auto checked = check_not_deleted(current); !checked) return checked.error();
  const auto refusal = refusal_of_issue(current, current.user_id, presented, author.now);
  if (refusal == IssueRefusal::rotated) return Error(ErrorCode::not_found, "the key has been rotated");
  AccessKey next = current;
  next.disabled = true;
  return if_changed(current, std::move(next), "disable", author);
}

void disable_own_key(store::KeyStore& store, KeyId id, IssueTime presented, UnixMillis now,
                     const store::AuditNote& note, KeyDone done) {
  auto work = [id, presented, author = Author{"key:" + id.to_string(), now}](store::Transaction& transaction) {
    return change_key(transaction, id, Precondition(),
                      [&](const AccessKey& current) { return decide_disable_own(current, presented, author); });
  };
  commit_key_change(store, note, std::move(work), std::move(done));
}

}  // namespace latchkey::commands
