#pragma once

// The event loop of one thread: epoll(7), edge-triggered for connections.
//
// Why not Asio: after each answer it tries to read at once, finds nothing and only then waits, which makes every
// request one system call dearer; waiting first costs it an epoll_ctl instead (docs/performance.md). Here a connection
// is registered once in its life and told when something has changed; whether there may be more to read it knows
// itself.

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

namespace latchkey::http {

/// Milliseconds of CLOCK_MONOTONIC, as coarse as the kernel's tick: timeouts need no more.
using CoarseTime = std::int64_t;
CoarseTime coarse_now();

/// What a ready descriptor is reported to. Outlives the poller's next turn even when its descriptor is closed.
class Watcher {
 public:
  /// `events`: of epoll; 0 when it asked for another turn.
  virtual void on_ready(std::uint32_t events) = 0;

 protected:
  ~Watcher() = default;
};

/// One thread's. A closed descriptor is forgotten by itself; an event that was already on its way then may still come.
class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  static constexpr std::uint32_t edges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

  /// False: out of memory or of watches.
  bool add(int descriptor, std::uint32_t events, Watcher& watcher);
  void remove(int descriptor);
  /// on_ready(0) in the next turn: for a watcher that could go on but lets others have theirs.
  void requeue(Watcher& watcher) { requeued_.push_back(&watcher); }

  /// Waits up to `patience` for events, reads the clock once for all that follows, and tells of all events.
  void turn(std::chrono::milliseconds patience, CoarseTime& now);

 private:
  static constexpr std::size_t most_events = 64;  // a turn: what so many sent still lies in the cache to be answered

  static void dispatch(Watcher& watcher, std::uint32_t events);

  const int epoll_;
  std::array<epoll_event, most_events> events_;
  std::vector<Watcher*> requeued_;
  std::vector<Watcher*> now_;
};

}  // namespace latchkey::http
