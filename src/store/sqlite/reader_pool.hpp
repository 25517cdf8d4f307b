#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "base/condition.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/file_identity.hpp"
#include "store/sqlite/settle.hpp"

namespace latchkey::store {

/// Read connections, opened when first needed, lent to one thread at a time, all on the file that the writer has open:
/// the writer says which that is, and a reader that finds another at the path, or a log that has lost what was shown,
/// asks it to look.
class ReaderPool {
 public:
  /// `on_lost`, on the reading thread: the writer has to look at the file. `witness` outlives every read.
  ReaderPool(std::filesystem::path path, Witness& witness, std::function<void()> on_lost)
      : path_(std::move(path)), witness_(witness), on_lost_(std::move(on_lost)) {}

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
    auto answer = read_shown(*reader, read);
    give_back(std::move(*reader));
    return answer;
  }

 private:
  static constexpr std::size_t max_connections = 8;
  static constexpr int max_tries = 20;

  // All of one read is of one moment, and of one at which nothing was there that the witness does not know.
  template <class Read>
  auto read_shown(Database& reader, Read& read) -> decltype(read(reader)) {
    for (int i = 0; i < max_tries; ++i) {
      const auto before = witness_.read();
      if (!before) return before.error();
      if (auto begun = reader.execute("BEGIN"); !begun) return begun.error();
      const auto standing = stand(reader, witness_, *before);
      const bool shown = standing && *standing == Standing::shown;
      auto answer = shown ? read(reader) : decltype(read(reader))(not_shown(standing));
      static_cast<void>(reader.execute("COMMIT"));
      if (standing && *standing == Standing::unsettled) on_lost_();
      if (!standing || *standing != Standing::moved_on) return answer;
    }
    return Error(ErrorCode::unavailable, "the database is not available", "its log grows all the time");
  }
  static Error not_shown(const Result<Standing>& standing);

  Result<Database> borrow();
  void give_back(Database reader);
  Result<Database> open_reader() const;
  Result<void> still_there() const;

  const std::filesystem::path path_;
  Witness& witness_;
  const std::function<void()> on_lost_;
  mutable Mutex mutex_;
  Condition returned_;
  std::optional<FileIdentity> file_ GUARDED_BY(mutex_);  // none while the writer has none
  std::vector<Database> idle_ GUARDED_BY(mutex_);
  std::size_t open_ GUARDED_BY(mutex_) = 0;  // idle, lent or being opened
};

}  // namespace latchkey::store
