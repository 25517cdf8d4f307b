#include "store/key_store.hpp"

#include <future>

namespace latchkey::store {

Result<LogEnd> KeyStore::transact_and_wait(const Work& work) {
  std::promise<Result<LogEnd>> promise;
  auto future = promise.get_future();
  transact(work, [&promise](Result<LogEnd> result) { promise.set_value(std::move(result)); });
  return future.get();
}

}  // namespace latchkey::store
