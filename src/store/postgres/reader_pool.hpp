#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "store/postgres/connection.hpp"

namespace latchkey::store::postgres {

/// Connections for reads, opened when first needed, lent to one thread at a time.
class ReaderPool {
 public:
  explicit ReaderPool(Url url) : url_(std::move(url)) {}

  /// Calls `read(Connection&)`; waits up to five seconds while all are lent. Returns what `read` returns, or
  /// ErrorCode::unavailable. A
  /// connection that turns out to be dead, as all are after the server was restarted, is replaced once: `read` may run
  /// twice. Any thread.
  template <class Read>
  auto with(Read read) -> decltype(read(std::declval<Connection&>())) {
    auto reader = borrow();
    if (!reader) return reader.error();
    auto answer = read(**reader);
    if (!answer && (*reader)->is_lost()) {
      give_back(nullptr);
      reader = borrow_new();
      if (!reader) return reader.error();
      answer = read(**reader);
    }
    give_back((*reader)->is_lost() ? nullptr : std::move(*reader));
    return answer;
  }

 private:
  static constexpr std::size_t max_connections = 8;
  static constexpr std::chrono::seconds patience{5};

  /// Until a connection may be lent; false: none was given back in time, since the server is silent.
  bool await_place(std::unique_lock<std::mutex>& lock);

  Result<std::unique_ptr<Connection>> borrow();
  Result<std::unique_ptr<Connection>> borrow_new();
  /// None for one that died: the idle ones may be dead too.
  void give_back(std::unique_ptr<Connection> reader);
  Result<std::unique_ptr<Connection>> open(std::unique_lock<std::mutex>& lock);

  const Url url_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
  std::size_t lent_ = 0;                           // or being opened; guarded by mutex_
};

}  // namespace latchkey::store::postgres
