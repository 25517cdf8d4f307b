#pragma once

#include <atomic>
#include <thread>

namespace latchkey::limit {

/// For sections of well under a microsecond. Meets std::lock_guard's needs. Spins a little, then yields, since on few
/// cores the holder may be waiting for ours.
class SpinLock {
 public:
  void lock() {
    while (held_.exchange(true, std::memory_order_acquire)) wait();
  }
  void unlock() { held_.store(false, std::memory_order_release); }

 private:
  void wait() const {
    for (int spins = 0; held_.load(std::memory_order_relaxed); ++spins) {
      if (spins >= spins_before_yield) std::this_thread::yield();
    }
  }

  static constexpr int spins_before_yield = 64;
  std::atomic<bool> held_{false};
};

}  // namespace latchkey::limit
