#pragma once

// Waiting for a commit of another process, at a cost near nothing while there is none.
//
// The writer appends to -wal (inotify tells), syncs it (milliseconds, silent), then stores the new wal-index header
// into shared memory (silent too, and only then is the commit visible). So a hint from inotify begins a short watch of
// that header, and a poll every 20 ms catches what both have missed.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "base/descriptor.hpp"
#include "base/wake_event.hpp"

namespace latchkey::feed {

/// The first copy of the wal-index header; any commit, by any process, changes it.
using WalHeader = std::array<std::uint32_t, 12>;

/// Reads the header in place. `shared` is SQLite's own mapping of -shm: an own file descriptor on that file would, when
/// closed, drop the locks SQLite holds in this process.
WalHeader read_wal_header(const volatile std::uint32_t* shared);

/// One waiting thread; wake() from any.
class Waker {
 public:
  explicit Waker(const std::filesystem::path& database);

  enum class Reason { changed, poll, woken, timeout };
  /// Waits until the header differs from `seen`, the files in the directory change (`poll`), a poll is due, wake() is
  /// called, or `deadline`. `shared` may be null: then only the rest counts.
  Reason wait(const volatile std::uint32_t* shared, const WalHeader& seen,
              std::chrono::steady_clock::time_point deadline);
  void wake();

 private:
  enum class Hint { none, wal_written, directory_changed };
  Hint drain();
  void watch_files();
  Reason watch_header(const volatile std::uint32_t* shared, const WalHeader& seen,
                      std::chrono::steady_clock::time_point deadline);

  const std::filesystem::path database_;
  const std::string file_name_;
  Descriptor inotify_;
  WakeEvent wake_event_;
  int directory_watch_ = -1;
  int wal_watch_ = -1;
  bool precise_sleep_ = false;
  std::atomic<bool> woken_{false};
};

}  // namespace latchkey::feed
