#include "commands/delete_key.hpp"

namespace latchkey::commands {

Decision decide_delete(const AccessKey& current, const Act& act) {
  AccessKey next = current;
  next.deleted = true;
  return if_changed(current, std::move(next), "delete", act);
}

void delete_key(store::KeyStore& store, KeyId id, const Precondition& precondition, const Act& act, KeyDone done) {
  auto work = [id, precondition, act](store::Transaction& transaction) {
    return change_key(transaction, id, precondition,
                      [&](const AccessKey& current) { return decide_delete(current, act); });
  };
  run(store, std::move(work), std::move(done));
}

}  // namespace latchkey::commands
