#include "store/key_store.hpp"

#include <future>

namespace latchkey::store {

std::string_view to_string(KeyAction action) {
  switch (action) {
    case KeyAction::disable:
      return "disable";
    case KeyAction::enable:
      return "enable";
    case KeyAction::remove:
      return "delete";
  }
  return "";
}

User tombstone_of(const Erasure& erasure) {
  User user;
  user.user_id = erasure.pseudonym;
  user.deleted = true;
  user.created_at = erasure.at;
  user.updated_at = erasure.at;
  user.updated_by = erasure.actor;
  return user;
}

Result<LogEnd> KeyStore::transact_and_wait(const Work& work) {
  std::promise<Result<LogEnd>> promise;
  auto future = promise.get_future();
  transact(work, [&promise](Result<LogEnd> result) { promise.set_value(std::move(result)); });
  return future.get();
}

}  // namespace latchkey::store
