#include "commands/delete_key.hpp"

namespace latchkey::commands {

Decision decide_delete(const AccessKey& current, const Author& author) {
  AccessKey next = current;
  next.deleted = true;
  return if_changed(current, std::move(next), "delete", author);
}

void delete_key(store::KeyStore& store, KeyId id, const Precondition& precondition, const Author& author,
                KeyDone done) {
  auto work = [id, precondition, author](store::Transaction& transaction) {
    return change_key(transaction, id, precondition,
                      [&](const AccessKey& current) { return decide_delete(current, author); });
  };
  commit_key_change(store, author.note, std::move(work), std::move(done));
}

}  // namespace latchkey::commands
