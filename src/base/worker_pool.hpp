#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

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

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Task> queue_;  // guarded by mutex_
  bool stopping_ = false;   // guarded by mutex_
  const std::size_t max_queued_;
  std::vector<std::thread> threads_;
};

}  // namespace latchkey
