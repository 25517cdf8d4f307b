#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <vector>

#include "store/sqlite/database.hpp"

namespace latchkey::store {

/// Read connections, opened when first needed, lent to one thread at a time.
class ReaderPool {
 public:
  explicit ReaderPool(std::filesystem::path path) : path_(std::move(path)) {}

  /// Calls `read(Database&)` with a connection; waits while all are lent. Returns what `read` returns, or the error of
  /// opening one. Any thread.
  template <class Read>
  auto with(Read read) -> decltype(read(std::declval<Database&>())) {
    auto reader = borrow();
    if (!reader) return reader.error();
    auto answer = read(*reader);
    give_back(std::move(*reader));
    return answer;
  }

 private:
  static constexpr std::size_t max_connections = 8;

  Result<Database> borrow();
  void give_back(Database reader);

  const std::filesystem::path path_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Database> idle_;  // guarded by mutex_
  std::size_t open_ = 0;        // guarded by mutex_
};

}  // namespace latchkey::store
