#include "store/sqlite/reader_pool.hpp"

namespace latchkey::store {

Result<Database> ReaderPool::borrow() {
  {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !idle_.empty() || open_ < max_connections; });
    if (!idle_.empty()) {
      Database reader = std::move(idle_.back());
      idle_.pop_back();
      return reader;
    }
    ++open_;
  }
  auto reader = Database::open(path_, Access::read, store_busy_timeout_ms);
  if (!reader) {
    const std::lock_guard lock(mutex_);
    --open_;
    returned_.notify_one();
  }
  return reader;
}

void ReaderPool::give_back(Database reader) {
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(reader));
  }
  returned_.notify_one();
}

}  // namespace latchkey::store
