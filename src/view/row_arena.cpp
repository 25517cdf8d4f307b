#include "view/row_arena.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <new>
#include <stdexcept>

namespace latchkey::view {

void RowArena::FreeChunk::operator()(std::byte* chunk) const { std::free(chunk); }

RowRef RowArena::create(const AccessKey& key, Version version, const RowLinks& links) {
  const std::size_t units = (KeyRow::bytes_needed(key, links) + unit_bytes - 1) / unit_bytes;
  const RowRef ref = take(units);
  KeyRow::create(place(ref), key, version, links);
  return ref;
}

void RowArena::release(RowRef ref) {
  const std::size_t bytes = at(ref).bytes();
  RowRef& first = free_pieces_[(bytes + unit_bytes - 1) / unit_bytes];
  new (place(ref)) FreePiece{first};
  first = ref;
}

RowRef RowArena::take(std::size_t units) {
  if (const RowRef free = free_pieces_[units]; free != 0) {
    free_pieces_[units] = std::launder(static_cast<FreePiece*>(place(free)))->next;
    return free;
  }
  if (next_unit_ + units > chunk_units) begin_chunk();
  const std::size_t ref = (chunks_in_use_ - 1) * chunk_units + next_unit_;
  next_unit_ += units;
  return static_cast<RowRef>(ref);
}

void RowArena::begin_chunk() {
  if (chunks_in_use_ == max_chunks) throw std::length_error("view: 4 GiB of rows are in use");
  void* chunk = std::aligned_alloc(chunk_bytes, chunk_bytes);
  if (chunk == nullptr) throw std::bad_alloc();
  ::madvise(chunk, chunk_bytes, MADV_HUGEPAGE);  // a wish: rows are read at random, and page walks would cost more
  next_unit_ = chunks_in_use_ == 0 ? 1 : 0;      // reference 0 means none
  chunks_[chunks_in_use_++].reset(static_cast<std::byte*>(chunk));
}

}  // namespace latchkey::view
