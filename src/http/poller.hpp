#pragma once

// The event loop of one thread, in two engines: epoll(7) (epoll/epoll_poller.hpp) and io_uring(7)
// (uring/uring_poller.hpp).
//
// Why not Asio: after each answer it tries to read at once, finds nothing and only then waits, which makes every
// request one system call dearer; waiting first costs it an epoll_ctl instead (docs/performance.md). Here a connection
// is registered once in its life and told when something has changed; whether there may be more to read it knows
// itself.

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "http/transport.hpp"

namespace latchkey::http {

/// Milliseconds of CLOCK_MONOTONIC, as coarse as the kernel's tick: timeouts need no more.
using CoarseTime = std::int64_t;
CoarseTime coarse_now();

/// What a ready descriptor is reported to. Outlives the poller's next turn even when its descriptor is closed.
class Watcher {
 public:
  virtual void on_ready() = 0;

 protected:
  ~Watcher() = default;
};

/// One thread's: constructed anywhere, then used by the thread that takes its turns.
class Poller {
 public:
  Poller() = default;
  virtual ~Poller() = default;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  enum class Trigger : std::uint8_t {
    level,  // told in each turn as long as there is something to read
    edge,   // told each time something comes; nobody has to read it away
  };
  /// Watches for something to read. False: out of memory or of watches.
  virtual bool add(int descriptor, Trigger trigger, Watcher& watcher) = 0;
  /// Before the descriptor is closed.
  virtual void remove(int descriptor) = 0;

  /// `user` outlives it. Both live no longer than the poller.
  virtual std::unique_ptr<Transport> make_transport(TransportUser& user) = 0;

  /// on_turn() in the next turn: for a user that could go on but lets others have theirs.
  void requeue(TransportUser& user) { requeued_.push_back(&user); }

  /// Waits up to `patience` for events, reads the clock once for all that follows, and tells of all events.
  virtual void turn(std::chrono::milliseconds patience, CoarseTime& now) = 0;
  /// All that was sent is handed to the kernel, and its outcome told, now instead of in the next turn.
  virtual void submit() {}
  /// After the thread's last turn: the kernel lets go of all descriptors that are closed.
  virtual void finish() {}

 protected:
  // What was told once is not told again, so a failure of one must not swallow the others' events: each call that tells
  // goes through here.
  template <typename Call>
  static void dispatch(Call&& call) noexcept {
    try {
      call();
    } catch (...) {
      log_current_exception();
    }
  }
  bool has_requeued() const { return !requeued_.empty(); }
  /// Of the turns before this one; what they requeue comes in the next.
  void take_requeued() { now_.swap(requeued_); }
  void dispatch_requeued();

 private:
  static void log_current_exception() noexcept;

  std::vector<TransportUser*> requeued_;
  std::vector<TransportUser*> now_;
};

}  // namespace latchkey::http
