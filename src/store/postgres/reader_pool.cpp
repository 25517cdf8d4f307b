#include "store/postgres/reader_pool.hpp"

namespace latchkey::store::postgres {
namespace {

using std::chrono::steady_clock;

Error all_wait() { return Error(ErrorCode::unavailable, "the database is not available", "all reads wait for it"); }

}  // namespace

bool ReaderPool::await_place(Time deadline) {
  const auto end = deadline - Connection::connect_timeout;
  while (lent_ >= max_connections && returned_.wait_until(mutex_, end)) {
  }
  return lent_ < max_connections;
}

bool ReaderPool::may_connect(Time deadline) { return deadline - steady_clock::now() >= Connection::connect_timeout; }

Result<std::unique_ptr<Connection>> ReaderPool::borrow(Time deadline) {
  {
    const MutexLock lock(mutex_);
    if (!await_place(deadline)) return all_wait();
    ++lent_;
    if (!idle_.empty()) {
      auto reader = std::move(idle_.back());
      idle_.pop_back();
      reader->set_deadline(deadline);
      return reader;
    }
  }
  return open(deadline);
}

Result<std::unique_ptr<Connection>> ReaderPool::borrow_new(Time deadline) {
  {
    const MutexLock lock(mutex_);
    if (!await_place(deadline)) return all_wait();
    ++lent_;
  }
  return open(deadline);
}

Result<std::unique_ptr<Connection>> ReaderPool::open(Time deadline) {
  auto opened = Connection::open(url_, Server::primary, deadline);
  if (!opened) give_back(nullptr);
  return opened;
}

void ReaderPool::give_back(std::unique_ptr<Connection> reader) {
  {
    const MutexLock lock(mutex_);
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
