#include "view/reclamation.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>

namespace latchkey::view {
namespace {

// Threads begin at different slots, so that each usually finds its own free and in its own cache.
std::size_t first_slot() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed);
  return mine;
}

}  // namespace

void Reclamation::free_all() {
  for (const Retired& retired : limbo_) retired.free(retired.owner, retired.what);
  limbo_.clear();
}

std::size_t Reclamation::enter() const {
  const std::size_t first = first_slot();
  for (std::size_t tries = 0;; ++tries) {
    const std::size_t slot = (first + tries) % max_readers;
    std::uint64_t free = 0;
    // An epoch that has moved on meanwhile is only announced too early, which keeps more than needed.
    const std::uint64_t now = epoch_.load(std::memory_order_acquire);
    if (slots_[slot].epoch.compare_exchange_strong(free, now, std::memory_order_seq_cst)) return slot;
    if (tries % max_readers == max_readers - 1) std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
}

void Reclamation::retire(Free free, void* owner, std::uint64_t what) {
  limbo_.push_back({epoch_.load(std::memory_order_relaxed), free, owner, what});
  if (limbo_.size() >= scan_at_) collect();
}

void Reclamation::collect() {
  if (limbo_.empty()) return;
  epoch_.fetch_add(1, std::memory_order_seq_cst);
  const std::uint64_t oldest = oldest_announced();
  while (!limbo_.empty() && limbo_.front().epoch < oldest) {
    const Retired retired = limbo_.front();
    limbo_.pop_front();
    retired.free(retired.owner, retired.what);
  }
  scan_at_ = limbo_.size() + retirements_per_scan;
}

std::uint64_t Reclamation::oldest_announced() const {
  std::uint64_t oldest = std::numeric_limits<std::uint64_t>::max();
  for (const Slot& slot : slots_) {
    const std::uint64_t announced = slot.epoch.load(std::memory_order_seq_cst);
    if (announced != 0) oldest = std::min(oldest, announced);
  }
  return oldest;
}

}  // namespace latchkey::view
