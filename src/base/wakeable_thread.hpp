#pragma once

// A thread that works, sleeps until something happens or a while has passed, and works again until it is told to stop.
//
//   WakeableThread thread_;                                    // last member: it ends before what it uses
//   thread_.start([this] { while (thread_.sleep(period)) look(); });
//   thread_.wake();                                            // something happened: look soon
//   thread_.stop();                                            // or the destructor

#include <chrono>
#include <functional>
#include <thread>

#include "base/condition.hpp"

namespace latchkey {

/// start() and stop() by one thread; wake() and stopping() by any; sleep() by the thread itself.
class WakeableThread {
 public:
  WakeableThread() = default;
  WakeableThread(const WakeableThread&) = delete;
  WakeableThread& operator=(const WakeableThread&) = delete;
  ~WakeableThread() { stop(); }

  /// At most once. `body` returns soon after sleep() has returned false.
  void start(std::function<void()> body) { thread_ = std::thread(std::move(body)); }

  /// Ends the next sleep, or the one that is going on.
  void wake() {
    {
      const MutexLock lock(mutex_);
      woken_ = true;
    }
    changed_.notify_all();
  }

  /// Until somebody wakes it, or `longest` has passed. False: stop.
  [[nodiscard]] bool sleep(std::chrono::nanoseconds longest) {
    const auto end = std::chrono::steady_clock::now() + longest;
    const MutexLock lock(mutex_);
    while (!woken_ && !stopping_ && changed_.wait_until(mutex_, end)) {
    }
    woken_ = false;
    return !stopping_;
  }

  /// Whether it has been told to stop.
  bool stopping() const {
    const MutexLock lock(mutex_);
    return stopping_;
  }

  /// Tells it to stop and does not wait: for what must be interrupted between this and stop().
  void ask_to_stop() {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
  }

  /// Waits for its end. Harmless when it was never started, and a second time.
  void stop() {
    ask_to_stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  mutable Mutex mutex_;
  Condition changed_;
  bool woken_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace latchkey
