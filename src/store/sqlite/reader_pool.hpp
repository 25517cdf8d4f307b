#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "store/sqlite/database.hpp"
#include "store/sqlite/file_identity.hpp"

namespace latchkey::store {

/// Read connections, opened when first needed, lent to one thread at a time, all on the file that the writer has open:
/// the writer says which that is, and a reader that finds another at the path asks it to look.
class ReaderPool {
 public:
  /// `on_lost`, on the reading thread: the path does not name the writer's file.
  ReaderPool(std::filesystem::path path, std::function<void()> on_lost)
      : path_(std::move(path)), on_lost_(std::move(on_lost)) {}

  /// The writer has this file open. Until told so, and after close(), every read is ErrorCode::unavailable.
  void open(const FileIdentity& file);
  /// Waits for the reads that are under way, which are short, and closes every connection.
  void close();

  /// Calls `read(Database&)` with a connection; waits while all are lent. Returns what `read` returns, or
  /// ErrorCode::unavailable. Any thread.
  template <class Read>
  auto with(Read read) -> decltype(read(std::declval<Database&>())) {
    auto reader = borrow();
    if (!reader) {
      if (!still_there()) on_lost_();
      return reader.error();
    }
    auto answer = read(*reader);
    give_back(std::move(*reader));
    return answer;
  }

 private:
  static constexpr std::size_t max_connections = 8;

  Result<Database> borrow();
  void give_back(Database reader);
  Result<Database> open_reader() const;
  Result<void> still_there() const;

  const std::filesystem::path path_;
  const std::function<void()> on_lost_;
  mutable std::mutex mutex_;
  std::condition_variable returned_;
  std::optional<FileIdentity> file_;  // none while the writer has none; guarded by mutex_
  std::vector<Database> idle_;        // guarded by mutex_
  std::size_t open_ = 0;              // idle, lent or being opened; guarded by mutex_
};

}  // namespace latchkey::store
