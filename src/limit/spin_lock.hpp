#pragma once

#include <atomic>
#include <chrono>
#include <thread>

namespace latchkey::limit {

/// For sections of well under a microsecond. Meets std::lock_guard's needs. Spins a little, then sleeps a little: on
/// few cores the holder may be waiting for ours. Does not yield, after which some kernels (Linux 6.18) let a thread
/// wait for seconds; and does not wake anybody, which would make each unlock a read and a write that nothing may pass.
class SpinLock {
 public:
  void lock() {
    while (held_.exchange(true, std::memory_order_acquire)) wait();
  }
  void unlock() { held_.store(false, std::memory_order_release); }

 private:
  void wait() const {
    for (int spins = 0; held_.load(std::memory_order_relaxed); ++spins) {
      if (spins >= most_spins) std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  }

  static constexpr int most_spins = 256;
  std::atomic<bool> held_{false};
};

}  // namespace latchkey::limit
