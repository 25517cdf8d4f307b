#pragma once

// The windows of the keys of one shard: an index over blocks of the pool. One thread at a time.

#include <cstdint>
#include <vector>

#include "key/key_id.hpp"
#include "limit/key_window.hpp"
#include "limit/local/block_pool.hpp"

namespace latchkey::limit {

/// Bounded by the keys that are live: a block is given back only when its window is idle, never to make room, because a
/// forgotten permit is one that can be taken again. Each insertion looks at `sweep_step` places of the index for idle
/// keys; from a quarter to a half of the places are taken while keys come, so there are never more than about a third
/// more blocks than keys that were live during the last round of the sweep.
class KeyTable {
 public:
  /// Before all else. The pool outlives the table.
  void use(BlockPool& pool) { pool_ = &pool; }

  /// nullptr if the key has no block: it has no permit in use.
  KeyWindow* find(const KeyId& key, std::uint32_t hash);
  /// Begins to fetch the place of the index that prefetch() and find() look at first.
  void prefetch_place(std::uint32_t hash) const { __builtin_prefetch(&index_[hash & mask()]); }
  /// Begins to fetch the block that find() is going to look at.
  void prefetch(std::uint32_t hash) const;
  /// Adds a key that find() did not know. Allocates only if no block is free.
  KeyWindow& insert(const KeyId& key, std::uint32_t hash, std::int64_t now_ms);
  /// Takes over a block that another process left, of a key that find() did not know.
  void adopt(std::uint32_t number, std::uint32_t hash);
  /// Looks at the next `places` places of the index and gives back the blocks of idle keys.
  void sweep(std::uint32_t places, std::int64_t now_ms);

  std::uint32_t size() const { return size_; }

  static constexpr std::uint32_t sweep_step = 12;

 private:
  /// An entry of the index: linear probing, removal by shifting back, so no tombstones gather.
  struct Entry {
    std::uint32_t hash = 0;
    std::uint32_t block = 0;  // number + 1; 0: free
  };
  static constexpr std::uint32_t blocks_at_once = 8;

  KeyBlock& block(const Entry& entry) const { return pool_->at(entry.block - 1); }
  std::uint32_t mask() const { return static_cast<std::uint32_t>(index_.size() - 1); }
  std::uint32_t vacant_block();
  void make_room();
  void place(Entry entry);
  void remove(std::uint32_t at);

  BlockPool* pool_ = nullptr;
  std::vector<Entry> index_ = std::vector<Entry>(2 * blocks_at_once);  // a power of two, at most half full
  std::vector<std::uint32_t> vacant_;                                  // room for all blocks of this shard
  std::uint32_t size_ = 0;
  std::uint32_t sweep_position_ = 0;  // where the sweep goes on
};

}  // namespace latchkey::limit
