#pragma once

// The windows of the keys of one shard: blocks that never move, and an index over them. One thread at a time.

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "key/key_id.hpp"
#include "limit/key_window.hpp"

namespace latchkey::limit {

/// What is remembered of one key. Five cache lines; the first tells the key and the state of its window.
struct alignas(64) KeyBlock {
  KeyId key;
  std::uint32_t hash = 0;
  enum class Use : std::uint32_t { vacant, taken } use = Use::vacant;
  KeyWindow permits;
};
static_assert(std::is_trivially_copyable_v<KeyBlock> && sizeof(KeyBlock) == 320);

/// Bounded by the keys that are live: a block is given back only when its window is idle, never to make room, because a
/// forgotten permit is one that can be taken again. Each insertion looks at `sweep_step` blocks for idle ones, so there
/// are never more than about a third more blocks than keys that were live during the last round of the sweep.
class KeyTable {
 public:
  /// nullptr if the key has no block: it has no permit in use.
  KeyWindow* find(const KeyId& key, std::uint32_t hash);
  /// Adds a key that find() did not know. Allocates only if no block is free.
  KeyWindow& insert(const KeyId& key, std::uint32_t hash, std::int64_t now_ms);
  /// Looks at the next `blocks` blocks and gives back the idle ones.
  void sweep(std::uint32_t blocks, std::int64_t now_ms);

  std::uint32_t size() const { return size_; }
  std::uint32_t capacity() const { return made_; }

  static constexpr std::uint32_t sweep_step = 4;

 private:
  /// An entry of the index: linear probing, removal by shifting back, so no tombstones gather.
  struct Entry {
    std::uint32_t hash = 0;
    std::uint32_t block = 0;  // number + 1; 0: free
  };

  // Chunk c holds first_chunk << c blocks, so blocks never move and chunks stay few.
  static constexpr std::uint32_t first_chunk = 8;
  static constexpr std::uint32_t max_chunks = 28;

  KeyBlock& block(std::uint32_t number) {
    const std::uint32_t from_first = number + first_chunk;
    const auto chunk = static_cast<std::uint32_t>(std::bit_width(from_first) - std::bit_width(first_chunk));
    return chunks_[chunk][from_first - (first_chunk << chunk)];
  }
  std::uint32_t mask() const { return static_cast<std::uint32_t>(index_.size() - 1); }
  std::uint32_t vacant_block();
  void place(Entry entry);
  void grow_index();
  void remove(std::uint32_t number);

  std::vector<Entry> index_ = std::vector<Entry>(2 * first_chunk);  // a power of two, at most half full
  std::array<std::unique_ptr<KeyBlock[]>, max_chunks> chunks_;
  std::vector<std::uint32_t> vacant_;
  std::uint32_t made_ = 0;  // blocks that exist
  std::uint32_t size_ = 0;  // of them in use
  std::uint32_t hand_ = 0;  // where the sweep goes on
};

}  // namespace latchkey::limit
