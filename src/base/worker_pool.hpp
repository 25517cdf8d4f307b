#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/condition.hpp"
#include "base/mutex.hpp"

namespace latchkey {

/// Threads behind one bounded queue, for work too slow for an I/O thread. Any thread may submit.
class WorkerPool {
 public:
  using Task = std::move_only_function<void()>;
  enum class Priority { usual, background };  // background: a tenth of a core where others want all of it
  WorkerPool(unsigned threads, std::size_t max_queued, Priority priority = Priority::usual);
  /// Runs what is queued, then ends the threads.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// False when the queue is full: the task was not taken and the caller answers "overloaded".
  [[nodiscard]] bool submit(Task task);

 private:
  void run(Priority priority);

  Mutex mutex_;
  Condition ready_;
  std::deque<Task> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  const std::size_t max_queued_;
  std::vector<std::thread> threads_;
};

}  // namespace latchkey
