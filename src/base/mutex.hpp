#pragma once

// A mutex that Clang can check: a member that says GUARDED_BY(mutex_) is used only while mutex_ is held, or the clang
// build fails (-Wthread-safety; ./dev lint and ./dev fuzz). With GCC the annotations are nothing, and the types cost
// what std::mutex and std::unique_lock cost.
//
// Example:
//   Mutex mutex_;
//   std::vector<Task> queue_ GUARDED_BY(mutex_);
//   void add(Task task) { const MutexLock lock(mutex_); queue_.push_back(std::move(task)); }
//   void drop_oldest() REQUIRES(mutex_);  // its caller holds the mutex

#include <mutex>

#if defined(__clang__)
#define LATCHKEY_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define LATCHKEY_THREAD_ATTRIBUTE(x)
#endif
#define GUARDED_BY(mutex) LATCHKEY_THREAD_ATTRIBUTE(guarded_by(mutex))
#define REQUIRES(...) LATCHKEY_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))

namespace latchkey {

class LATCHKEY_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() LATCHKEY_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() LATCHKEY_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

/// Held while it lives.
class LATCHKEY_THREAD_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) LATCHKEY_THREAD_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex.lock();
  }
  ~MutexLock() LATCHKEY_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace latchkey
