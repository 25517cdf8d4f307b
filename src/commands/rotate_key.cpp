#include "commands/rotate_key.hpp"

#include <algorithm>

namespace latchkey::commands {

Decision decide(const RotateKey& command, const AccessKey& current, const Act& act) {
  if (const auto checked = check_not_deleted(current); !checked) return checked.error();
  AccessKey next = current;
  next.issued_at = std::max(IssueTime{act.now.seconds()}, IssueTime{current.issued_at.seconds + 1});
  next.previous.reset();
  if (command.grace) next.previous = PreviousIssue{current.issued_at, act.now + *command.grace};
  return if_changed(current, std::move(next), "rotate", act);
}

void rotate_key(store::KeyStore& store, KeyRing& ring, KeyId id, RotateKey command, const Precondition& precondition,
                const Act& act, const std::optional<IdempotencyKey>& idempotency, IssuedDone done) {
  auto make = [id, command, precondition, act](store::Transaction& transaction) {
    return change_key(transaction, id, precondition,
                      [&](const AccessKey& current) { return decide(command, current, act); });
  };
  issue(store, ring, act, idempotency, std::move(make), std::move(done));
}

}  // namespace latchkey::commands
