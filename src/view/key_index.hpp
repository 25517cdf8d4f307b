#pragma once

// Key id → row: 1,024 open-addressing tables of 4-byte entries, so that growth moves a 1,024th of its keys at a time.
//
//   entry   bits 0-27 the row's reference (0: free), bits 28-31 a tag of the key's hash, which spares most looks at
//           rows of other keys
//
// Keys are never removed: a deleted key keeps its row. Readers find by atomic loads alone; a table that was outgrown is
// retired like a row that was replaced.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "key/key_id.hpp"
#include "view/reclamation.hpp"
#include "view/row_arena.hpp"

namespace latchkey::view {

/// Secret, so that nobody can choose key ids that collide.
struct HashSeed {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

class KeyIndex {
 public:
  KeyIndex(const RowArena& rows, Reclamation& reclamation, HashSeed seed)
      : rows_(rows), reclamation_(reclamation), seed_(seed) {}
  ~KeyIndex();
  KeyIndex(const KeyIndex&) = delete;
  KeyIndex& operator=(const KeyIndex&) = delete;

  /// 0 when there is none. Any thread, between Reclamation's enter() and leave().
  RowRef find(const KeyId& id) const;
  /// The first row with the id's tag: nearly always find()'s, and found without a look at any row. As find().
  RowRef nearest(const KeyId& id) const;
  /// Begins to fetch the entry that find() looks at first. As find().
  void prefetch(const KeyId& id) const;

  // The writer.
  /// Publishes the row under its id, in place of the one that was there.
  void put(const KeyId& id, RowRef ref);
  std::size_t size() const { return size_; }
  /// Which shard a key's row is in.
  std::size_t shard_of(const KeyId& id) const;
  static constexpr std::size_t shard_count() { return std::size_t{1} << shard_bits; }
  /// Every row of one shard.
  void visit(std::size_t shard, const std::function<void(RowRef)>& row) const;
  std::size_t resident_bytes() const { return sizeof *this + table_bytes_; }

 private:
  static constexpr unsigned shard_bits = 10;
  static constexpr std::uint32_t first_capacity = 8;

  class Table;
  struct Shard {
    std::atomic<Table*> table{nullptr};
    std::uint32_t count = 0;  // the writer's
  };

  std::uint64_t hash(const KeyId& id) const;
  template <class IsIt>
  RowRef seek(const KeyId& id, IsIt&& is_it) const;
  Table* grow(Shard& shard, Table* full);

  const RowArena& rows_;
  Reclamation& reclamation_;
  const HashSeed seed_;
  std::array<Shard, std::size_t{1} << shard_bits> shards_;
  std::size_t size_ = 0;
  std::size_t table_bytes_ = 0;
};

}  // namespace latchkey::view
