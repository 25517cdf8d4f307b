#include "feed/sqlite/waker.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>

namespace latchkey::feed {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds poll_interval{20};
constexpr milliseconds watch_time{30};  // longer than most fsyncs; what takes longer is left to the poll
constexpr microseconds shortest_sleep{5};
constexpr microseconds longest_sleep{100};
constexpr std::uint32_t directory_events = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;

}  // namespace

WalHeader read_wal_header(const volatile std::uint32_t* shared) {
  WalHeader header;
  // May be torn; then it differs from what was seen, and the read that follows takes SQLite's own care.
  for (std::size_t i = 0; i < header.size(); ++i) header[i] = shared[i];
  return header;
}

Waker::Waker(const std::filesystem::path& database)
    : database_(database),
      file_name_(database.filename().string()),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

void Waker::wake() {
  woken_ = true;
  wake_event_.wake();
}

// Repeated as files come and go: adding a watch that stands already changes nothing. Where inotify has no watches left
// (fs.inotify.max_user_watches), the poll alone serves.
void Waker::watch_files() {
  const auto directory = std::filesystem::absolute(database_).parent_path();
  if (directory_watch_ < 0) directory_watch_ = ::inotify_add_watch(inotify_.get(), directory.c_str(), directory_events);
  if (wal_watch_ < 0)
    wal_watch_ = ::inotify_add_watch(inotify_.get(), (database_.string() + "-wal").c_str(), IN_MODIFY);
}

Waker::Hint Waker::drain() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  Hint hint = Hint::none;
  for (;;) {
    const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size <= 0) return hint;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      at += sizeof event + event.len;
      if (event.wd == wal_watch_ && (event.mask & IN_MODIFY) != 0) hint = std::max(hint, Hint::wal_written);
      if ((event.mask & IN_IGNORED) != 0 && event.wd == wal_watch_) wal_watch_ = -1;
      if ((event.mask & IN_IGNORED) != 0 && event.wd == directory_watch_) directory_watch_ = -1;
      if (event.len == 0 || !std::string_view(name).starts_with(file_name_)) continue;
      wal_watch_ = -1;  // perhaps another -wal now
      hint = Hint::directory_changed;
    }
  }
}

Waker::Reason Waker::wait(const volatile std::uint32_t* shared, const WalHeader& seen,
                          steady_clock::time_point deadline) {
  // The default timer slack of 50 µs would be half of the whole latency.
  if (!precise_sleep_) precise_sleep_ = ::prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL) == 0;
  watch_files();
  if (shared != nullptr && read_wal_header(shared) != seen) return Reason::changed;
  if (woken_.exchange(false)) return Reason::woken;
  const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
  if (left <= milliseconds(0)) return Reason::timeout;
  std::array<pollfd, 2> files = {pollfd{inotify_.get(), POLLIN, 0}, pollfd{wake_event_.descriptor(), POLLIN, 0}};
  ::poll(files.data(), files.size(), static_cast<int>(std::min(left, poll_interval).count()));
  if ((files[1].revents & POLLIN) != 0) wake_event_.take();
  if (drain() == Hint::wal_written) return watch_header(shared, seen, deadline);
  return Reason::poll;
}

Waker::Reason Waker::watch_header(const volatile std::uint32_t* shared, const WalHeader& seen,
                                  steady_clock::time_point deadline) {
  if (shared == nullptr) return Reason::poll;
  const auto until = std::min(deadline, steady_clock::now() + watch_time);
  auto sleep = shortest_sleep;
  while (read_wal_header(shared) == seen) {
    if (woken_.exchange(false)) return Reason::woken;
    if (steady_clock::now() >= until) return Reason::poll;
    std::this_thread::sleep_for(sleep);
    sleep = std::min(2 * sleep, longest_sleep);
  }
  return Reason::changed;
}

}  // namespace latchkey::feed
