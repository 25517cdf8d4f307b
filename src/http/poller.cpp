#include "http/poller.hpp"

#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <exception>
#include <system_error>

#include "base/log.hpp"

namespace latchkey::http {

CoarseTime coarse_now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll");
}

Poller::~Poller() { ::close(epoll_); }

bool Poller::add(int descriptor, std::uint32_t events, Watcher& watcher) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watcher;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Poller::remove(int descriptor) { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr); }

// What was told once is not told again, so a failure of one must not swallow the others' events.
void Poller::dispatch(Watcher& watcher, std::uint32_t events) {
  try {
    watcher.on_ready(events);
  } catch (const std::exception& e) {
    log_error("http: {}", e.what());
  }
}

void Poller::turn(std::chrono::milliseconds patience, CoarseTime& now) {
  const int timeout = requeued_.empty() ? static_cast<int>(patience.count()) : 0;
  const int n = ::epoll_wait(epoll_, events_.data(), most_events, timeout);
  now = coarse_now();
  now_.swap(requeued_);
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    dispatch(*static_cast<Watcher*>(event.data.ptr), event.events);
  }
  for (Watcher* watcher : now_) dispatch(*watcher, 0);
  now_.clear();
}

}  // namespace latchkey::http
