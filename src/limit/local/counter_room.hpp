#pragma once

#include <atomic>
#include <cstddef>

namespace latchkey::limit {

/// How many counters there may be (LATCHKEY_LIMITER_MAX_COUNTERS), and are: a counter that finds no room is refused, since to
/// forget another one would be to admit what it counts. Any thread. Shards take room a few counters at a time, so a handful
/// a shard may come on top.
class CounterRoom {
 public:
  static constexpr std::size_t usual_most = std::size_t{1} << 24U;

  explicit CounterRoom(std::size_t most = usual_most) : most_(most) {}
  bool has_room() const { return taken_.load(std::memory_order_relaxed) < most_; }
  bool is_nearly_full() const { return 10 * taken_.load(std::memory_order_relaxed) >= 8 * most_; }
  void take(std::size_t counters) { taken_.fetch_add(counters, std::memory_order_relaxed); }
  void give_back(std::size_t counters) { taken_.fetch_sub(counters, std::memory_order_relaxed); }
  std::size_t taken() const { return taken_.load(std::memory_order_relaxed); }
  std::size_t most() const { return most_; }

 private:
  const std::size_t most_;
  std::atomic<std::size_t> taken_{0};
};

}  // namespace latchkey::limit
