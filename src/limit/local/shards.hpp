#pragma once

// The local engine's counters, spread over shards by their owner, each with its own lock.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "limit/local/key_table.hpp"
#include "limit/local/long_counters.hpp"
#include "limit/local/window_table.hpp"
#include "limit/spin_lock.hpp"

namespace latchkey::limit {

/// What a request under one plain limit needs: kept together, and small.
struct alignas(64) KeyShard {
  SpinLock lock;
  std::uint32_t calls = 0;  // guarded by lock
  KeyTable keys;            // guarded by lock
};

/// All other counters of the owners of the KeyShard of the same number; guarded by its lock.
struct CounterShard {
  WindowTable windows;
  LongCounters longs;
};

struct Shards {
  // 10 million live keys make 10,000 a shard: growing its index, the longest single step, stays near 0.1 ms.
  static constexpr unsigned bits = 10;
  static constexpr std::size_t count = std::size_t{1} << bits;

  explicit Shards(BlockPool& pool) {
    for (std::size_t i = 0; i < count; ++i) {
      keys[i].keys.use(pool);
      counters[i].windows.storage().use(pool);
    }
  }
  static std::size_t number_of(const OwnerId& owner) { return std::hash<OwnerId>()(owner) >> (64 - bits); }
  static std::uint32_t place_hash(const OwnerId& owner) {
    return static_cast<std::uint32_t>(std::hash<OwnerId>()(owner) >> (32 - bits));
  }

  std::unique_ptr<KeyShard[]> keys = std::make_unique<KeyShard[]>(count);
  std::unique_ptr<CounterShard[]> counters = std::make_unique<CounterShard[]>(count);
};

}  // namespace latchkey::limit
