#pragma once

// What happens under a Mutex, to be waited for: std::condition_variable for the mutex that Clang checks.
//
// Example:
//   Mutex mutex_;
//   Condition added_;
//   std::deque<Task> queue_ GUARDED_BY(mutex_);
//   Task take() { const MutexLock lock(mutex_); while (queue_.empty()) added_.wait(mutex_); … }
//
// A wait takes no predicate, since a lambda is a function of its own to Clang, which would not know that the mutex is
// held. It may end although nobody has notified: wait in a loop.

#include <chrono>
#include <condition_variable>

#include "base/mutex.hpp"

namespace latchkey {

class Condition {
 public:
  void notify_one() { changed_.notify_one(); }
  void notify_all() { changed_.notify_all(); }

  void wait(Mutex& mutex) REQUIRES(mutex) { changed_.wait(mutex); }
  /// False once `moment` has come: the loop may end.
  template <class Clock, class Span>
  [[nodiscard]] bool wait_until(Mutex& mutex, std::chrono::time_point<Clock, Span> moment) REQUIRES(mutex) {
    return changed_.wait_until(mutex, moment) == std::cv_status::no_timeout;
  }

 private:
  std::condition_variable_any changed_;  // of any lock: a Mutex is none that std::condition_variable knows
};

}  // namespace latchkey
