#include "store/postgres/reader_pool.hpp"

namespace latchkey::store::postgres {

bool ReaderPool::await_place(std::unique_lock<std::mutex>& lock) {
  return returned_.wait_for(lock, patience, [this] { return lent_ < max_connections; });
}

Result<std::unique_ptr<Connection>> ReaderPool::borrow() {
  std::unique_lock lock(mutex_);
  if (!await_place(lock))
    return Error(ErrorCode::unavailable, "the database is not available", "all reads wait for it");
  ++lent_;
  if (idle_.empty()) return open(lock);
  auto reader = std::move(idle_.back());
  idle_.pop_back();
  return reader;
}

Result<std::unique_ptr<Connection>> ReaderPool::borrow_new() {
  std::unique_lock lock(mutex_);
  if (!await_place(lock))
    return Error(ErrorCode::unavailable, "the database is not available", "all reads wait for it");
  ++lent_;
  return open(lock);
}

Result<std::unique_ptr<Connection>> ReaderPool::open(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  auto opened = Connection::open(url_, Server::primary);
  if (!opened) give_back(nullptr);
  return opened;
}

void ReaderPool::give_back(std::unique_ptr<Connection> reader) {
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (reader) {
      idle_.push_back(std::move(reader));
    } else {
      idle_.clear();
    }
  }
  returned_.notify_one();
}

}  // namespace latchkey::store::postgres
