#include "store/postgres/reader_pool.hpp"

namespace latchkey::store::postgres {
namespace {

using std::chrono::steady_clock;

Error all_wait() { return Error(ErrorCode::unavailable, "the database is not available", "all reads wait for it"); }

}  // namespace

bool ReaderPool::await_place(std::unique_lock<std::mutex>& lock, Time deadline) {
  return returned_.wait_until(lock, deadline - Connection::connect_timeout, [this] { return lent_ < max_connections; });
}

bool ReaderPool::may_connect(Time deadline) { return deadline - steady_clock::now() >= Connection::connect_timeout; }

Result<std::unique_ptr<Connection>> ReaderPool::borrow(Time deadline) {
  std::unique_lock lock(mutex_);
  if (!await_place(lock, deadline)) return all_wait();
  ++lent_;
  if (idle_.empty()) return open(lock, deadline);
  auto reader = std::move(idle_.back());
  idle_.pop_back();
  reader->set_deadline(deadline);
  return reader;
}

Result<std::unique_ptr<Connection>> ReaderPool::borrow_new(Time deadline) {
  std::unique_lock lock(mutex_);
  if (!await_place(lock, deadline)) return all_wait();
  ++lent_;
  return open(lock, deadline);
}

Result<std::unique_ptr<Connection>> ReaderPool::open(std::unique_lock<std::mutex>& lock, Time deadline) {
  lock.unlock();
  auto opened = Connection::open(url_, Server::primary, deadline);
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
