#include "base/worker_pool.hpp"

#include <sys/resource.h>
#include <unistd.h>

namespace latchkey {

namespace {

constexpr int background_nice = 10;  // weighs 110 of a usual thread's 1,024

}  // namespace

WorkerPool::WorkerPool(unsigned threads, std::size_t max_queued, Priority priority) : max_queued_(max_queued) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this, priority] { run(priority); });
}

WorkerPool::~WorkerPool() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool WorkerPool::submit(Task task) {
  const MutexLock lock(mutex_);
  if (stopping_ || queue_.size() >= max_queued_) return false;
  queue_.push_back(std::move(task));
  ready_.notify_one();  // under the lock: once the task has run, the pool may be gone
  return true;
}

void WorkerPool::run(Priority priority) {
  // On Linux niceness is a thread's own.
  if (priority == Priority::background) ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), background_nice);
  for (;;) {
    Task task;
    {
      const MutexLock lock(mutex_);
      while (!stopping_ && queue_.empty()) ready_.wait(mutex_);
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

}  // namespace latchkey
