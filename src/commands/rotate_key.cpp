#include "commands/rotate_key.hpp"

#include <algorithm>

namespace latchkey::commands {

Decision decide(const RotateKey& command, const AccessKey& current, const Author& author) {
  if (const auto checked = check_not_deleted(current); !checked) return checked.error();
  AccessKey next = current;
  next.issued_at = std::max(IssueTime{author.now.seconds()}, IssueTime{current.issued_at.seconds + 1});
  next.previous.reset();
  if (command.grace) next.previous = PreviousIssue{current.issued_at, author.now + *command.grace};
  return if_changed(current, std::move(next), "rotate", author);
}

void rotate_key(store::KeyStore& store, KeyRing& ring, KeyId id, RotateKey command, const Precondition& precondition,
                const Author& author, const std::optional<IdempotencyKey>& idempotency, IssuedDone done) {
  auto make = [id, command, precondition, author](store::Transaction& transaction) {
    return change_key(transaction, id, precondition,
                      [&](const AccessKey& current) { return decide(command, current, author); });
  };
  issue(store, ring, author, idempotency, std::move(make), std::move(done));
}

}  // namespace latchkey::commands
