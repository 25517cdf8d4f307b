#pragma once

// SQLite's lock on writing to a -wal, taken without SQLite: while it is held, no commit is under way in another
// process, so -wal and -shm can be compared.

#include <filesystem>
#include <optional>

#include "base/descriptor.hpp"

namespace latchkey::store {

/// Held while it lives. It is a lock of the open file, not of the process (F_OFD_SETLK, fcntl(2)): it excludes the
/// POSIX locks of SQLite in other processes and leaves ours alone.
class WalWriteLock {
 public:
  /// Opens the -shm at `index` and waits up to a second. nullopt: somebody is writing all that time, or the file cannot
  /// be opened, or another one stands at the path by then.
  static std::optional<WalWriteLock> take(const std::filesystem::path& index);

  /// The locked file.
  int file() const { return file_.get(); }

 private:
  explicit WalWriteLock(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

}  // namespace latchkey::store
