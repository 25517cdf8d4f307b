#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "base/condition.hpp"
#include "store/postgres/connection.hpp"

namespace latchkey::store::postgres {

/// Connections for reads, opened when first needed, lent to one thread at a time.
class ReaderPool {
 public:
  explicit ReaderPool(Url url) : url_(std::move(url)) {}

  /// The bound of one read with all that it waits for: a connection that others have, the server, and once more where
  /// the connection was dead. A URL of several hosts adds Connection::connect_timeout for each further one.
  static constexpr std::chrono::seconds bound{10};

  /// Calls `read(Connection&)`. Returns what `read` returns, or ErrorCode::unavailable; within `bound`. A connection
  /// that turns out to be dead, as all are after the server was restarted, is replaced once where there is time left:
  /// `read` may run twice. Any thread.
  template <class Read>
  auto with(Read read) -> decltype(read(std::declval<Connection&>())) {
    const auto deadline = std::chrono::steady_clock::now() + bound;
    auto reader = borrow(deadline);
    if (!reader) return reader.error();
    auto answer = read(**reader);
    if (!answer && (*reader)->is_lost()) {
      give_back(nullptr);
      if (!may_connect(deadline)) return answer;
      reader = borrow_new(deadline);
      if (!reader) return reader.error();
      answer = read(**reader);
    }
    give_back((*reader)->is_lost() ? nullptr : std::move(*reader));
    return answer;
  }

 private:
  using Time = Connection::Time;
  static constexpr std::size_t max_connections = 8;

  /// Until a connection may be lent; false: none was given back in time, since the server is silent.
  bool await_place(Time deadline) REQUIRES(mutex_);
  /// Whether there is time to wait for a server that does not answer.
  static bool may_connect(Time deadline);

  Result<std::unique_ptr<Connection>> borrow(Time deadline);
  Result<std::unique_ptr<Connection>> borrow_new(Time deadline);
  /// None for one that died: the idle ones may be dead too.
  void give_back(std::unique_ptr<Connection> reader);
  Result<std::unique_ptr<Connection>> open(Time deadline);

  const Url url_;
  Mutex mutex_;
  Condition returned_;
  std::vector<std::unique_ptr<Connection>> idle_ GUARDED_BY(mutex_);
  std::size_t lent_ GUARDED_BY(mutex_) = 0;  // or being opened
};

}  // namespace latchkey::store::postgres
