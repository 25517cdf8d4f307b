#pragma once

// The short windows of one shard that are no key's `per-minute`, in blocks of the mapped file.

#include <atomic>
#include <cstdint>
#include <vector>

#include "limit/local/block_pool.hpp"
#include "limit/local/counter_pool.hpp"

namespace latchkey::limit {

/// Order of stores: all of a block before its use says so, so a process that finds it after a crash finds a whole
/// one.
class WindowBlocks {
 public:
  WindowBlock& at(std::uint32_t number) { return pool_->window_at(number); }
  void add(std::vector<std::uint32_t>& numbers) { pool_->take(at_once, numbers); }
  void occupy(WindowBlock& block, const CounterId& id) {
    block.owner = id.owner;
    block.unused = 0;
    block.limit = id.limit;
    block.permits = SlidingWindow(window_seconds_);
    std::atomic_ref(block.use).store(KeyBlock::Use::other_window, std::memory_order_release);
    pool_->room().take(1);
  }
  void vacate(WindowBlock& block) {
    std::atomic_ref(block.use).store(KeyBlock::Use::vacant, std::memory_order_release);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // before another counter's stores go into it
    pool_->room().give_back(1);
  }
  static CounterId id_of(const WindowBlock& block) { return block.id(); }
  void use(BlockPool& pool) { pool_ = &pool; }
  /// The window of what is inserted next.
  void expect(std::uint32_t window_seconds) { window_seconds_ = window_seconds; }

 private:
  static constexpr std::uint32_t at_once = 4;
  BlockPool* pool_ = nullptr;
  std::uint32_t window_seconds_ = 60;
};

using WindowTable = CounterPool<WindowBlock, WindowBlocks>;

}  // namespace latchkey::limit
