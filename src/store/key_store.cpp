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

Result<LogEnd> KeyStore::transact_and_wait(const Work& work) {
  std::promise<Result<LogEnd>> promise;
  auto future = promise.get_future();
  transact(work, [&promise](Result<LogEnd> result) { promise.set_value(std::move(result)); });
  return future.get();
}

}  // namespace latchkey::store
