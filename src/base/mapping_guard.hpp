#pragma once

#include <atomic>
#include <cstddef>

namespace latchkey {

/// What becomes of a mapped file that somebody else shortens: the kernel answers the next touch of what is gone with
/// SIGBUS. While this lives, such a touch of its addresses finds zeros instead: the whole range becomes plain memory of
/// this process, once, and was_cut() says so from then on. The touch goes on with zeros, so the owner asks after
/// its work, not only before.
///
/// Example: permits stand in a mapping, and `truncate -s 0` empties its file. The next request reads a permit and finds
/// none; was_cut() is true, and the limiter refuses that request, and all others for a minute.
///
/// A touch of any other mapping that was shortened (a database's -shm: SQLite would believe its zeros) ends the
/// process with a sentence, to be started again. Both by decide_resource_signals(), which must have been called.
class MappingGuard {
 public:
  static constexpr std::size_t most = 16;  // at a time, in one process

  /// `begin`: of a page. Throws std::length_error past `most`.
  MappingGuard(void* begin, std::size_t bytes);
  ~MappingGuard();
  MappingGuard(const MappingGuard&) = delete;
  MappingGuard& operator=(const MappingGuard&) = delete;

  /// Any thread, at any time.
  bool was_cut() const { return was_cut_.load(std::memory_order_relaxed); }

  /// For the signal's handler: whether the touch of `address` was ours, and may be tried again.
  static bool mend(const void* address);

 private:
  std::byte* const begin_;
  const std::size_t bytes_;
  std::atomic<bool> was_cut_{false};
};

}  // namespace latchkey
