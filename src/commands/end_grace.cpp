#include "commands/end_grace.hpp"

namespace latchkey::commands {

Decision decide_end_grace(const AccessKey& current, const Author& author) {
  if (const auto checked = check_not_deleted(current); !checked) return checked.error();
  AccessKey next = current;
  next.previous.reset();
  return if_changed(current, std::move(next), "end-grace", author);
}

void end_grace(store::KeyStore& store, KeyId id, const Precondition& precondition, const Author& author, KeyDone done) {
  auto work = [id, precondition, author](store::Transaction& transaction) {
    return change_key(transaction, id, precondition,
                      [&](const AccessKey& current) { return decide_end_grace(current, author); });
  };
  commit_key_change(store, author.note, std::move(work), std::move(done));
}

}  // namespace latchkey::commands
