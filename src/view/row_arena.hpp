#pragma once

// Where rows live: chunks of 2 MiB, cut into pieces of whole units, addressed by 28 bits instead of a pointer's 64.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "view/row.hpp"

namespace latchkey::view {

/// A row's place, counted in units; 0: none.
using RowRef = std::uint32_t;

/// One writer. Readers may call at() for references they got by an acquiring load.
class RowArena {
 public:
  static constexpr std::size_t unit_bytes = 16;
  static constexpr unsigned ref_bits = 28;  // 4 GiB of rows: 38 million keys with 16-byte user ids; the view has four

  RowArena() = default;
  RowArena(const RowArena&) = delete;
  RowArena& operator=(const RowArena&) = delete;

  /// Throws std::length_error when all 4 GiB are in use, std::bad_alloc when the machine's memory is.
  RowRef create(const AccessKey& key, Version version, const RowLinks& links);
  /// The piece may be given out again at once.
  void release(RowRef ref);

  const KeyRow& at(RowRef ref) const { return *static_cast<const KeyRow*>(place(ref)); }
  KeyRow& at(RowRef ref) { return *static_cast<KeyRow*>(place(ref)); }
  std::size_t resident_bytes() const { return chunks_in_use_ * chunk_bytes; }

 private:
  static constexpr std::size_t chunk_bytes = std::size_t{2} << 20;  // a huge page, where the kernel has them
  static constexpr std::size_t chunk_units = chunk_bytes / unit_bytes;
  static constexpr std::size_t max_chunks = (std::size_t{1} << ref_bits) / chunk_units;
  static constexpr std::size_t max_row_units =
      (sizeof(KeyRow) + max_user_id_bytes + sizeof(const KeyTerms*) + unit_bytes - 1) / unit_bytes;

  struct FreeChunk {
    void operator()(std::byte* chunk) const;
  };
  struct FreePiece {  // stands at the front of a piece that is free
    RowRef next;
  };

  void* place(RowRef ref) const { return chunks_[ref / chunk_units].get() + ref % chunk_units * unit_bytes; }
  RowRef take(std::size_t units);
  void begin_chunk();

  std::array<std::unique_ptr<std::byte, FreeChunk>, max_chunks> chunks_;  // filled in order, never changed after
  std::size_t chunks_in_use_ = 0;
  std::size_t next_unit_ = chunk_units;                  // of the last chunk
  std::array<RowRef, max_row_units + 1> free_pieces_{};  // by size in units
};

}  // namespace latchkey::view
