#include "limit/local/key_table.hpp"

#include <algorithm>
#include <atomic>

namespace latchkey::limit {

KeyWindow* KeyTable::find(const KeyId& key, std::uint32_t hash) {
  for (std::uint32_t at = hash & mask(); index_[at].block != 0; at = (at + 1) & mask()) {
    if (index_[at].hash != hash) continue;
    KeyBlock& found = block(index_[at]);
    if (found.key == key) return &found.permits;
  }
  return nullptr;
}

void KeyTable::prefetch(std::uint32_t hash) const {
  std::uint32_t at = hash & mask();
  while (index_[at].block != 0 && index_[at].hash != hash) at = (at + 1) & mask();
  if (index_[at].block == 0) return;
  const auto* lines = reinterpret_cast<const char*>(&block(index_[at]));
  for (std::size_t i = 0; i < sizeof(KeyBlock); i += 64) __builtin_prefetch(lines + i, 1);
}

// Order of stores: all of a block before its use says `taken`, so a process that finds it after a crash finds a whole
// one.
KeyWindow& KeyTable::insert(const KeyId& key, std::uint32_t hash, std::int64_t now_ms) {
  sweep(sweep_step, now_ms);
  make_room();
  const std::uint32_t number = vacant_block();
  KeyBlock& added = pool_->at(number);
  added.key = key;
  added.hash = hash;
  added.permits = KeyWindow();
  std::atomic_ref(added.use).store(KeyBlock::Use::taken, std::memory_order_release);
  place({.hash = hash, .block = number + 1});
  pool_->room().take(1);
  return added.permits;
}

void KeyTable::adopt(std::uint32_t number, std::uint32_t hash) {
  make_room();
  pool_->at(number).hash = hash;
  place({.hash = hash, .block = number + 1});
  pool_->room().take(1);
}

void KeyTable::sweep(std::uint32_t places, std::int64_t now_ms) {
  for (std::uint32_t left = places; left > 0; --left) {
    sweep_position_ &= mask();
    if (index_[sweep_position_].block != 0 && block(index_[sweep_position_]).permits.idle(now_ms)) {
      remove(sweep_position_);  // another may stand here now
    } else {
      ++sweep_position_;
    }
  }
}

std::uint32_t KeyTable::vacant_block() {
  if (vacant_.empty()) {
    const std::size_t blocks = size_ + blocks_at_once;
    if (vacant_.capacity() < blocks) vacant_.reserve(2 * blocks);  // so that remove() never allocates
    pool_->take(blocks_at_once, vacant_);
    std::reverse(vacant_.begin(), vacant_.end());
  }
  const std::uint32_t number = vacant_.back();
  vacant_.pop_back();
  return number;
}

void KeyTable::make_room() {
  if (2 * (size_ + 1) <= index_.size()) return;
  std::vector<Entry> before(2 * index_.size());
  before.swap(index_);
  size_ = 0;
  for (const Entry& entry : before) {
    if (entry.block != 0) place(entry);
  }
}

void KeyTable::place(Entry entry) {
  std::uint32_t at = entry.hash & mask();
  while (index_[at].block != 0) at = (at + 1) & mask();
  index_[at] = entry;
  ++size_;
}

void KeyTable::remove(std::uint32_t at) {
  const std::uint32_t number = index_[at].block - 1;
  std::uint32_t hole = at;
  for (std::uint32_t next = (hole + 1) & mask(); index_[next].block != 0; next = (next + 1) & mask()) {
    const std::uint32_t home = index_[next].hash & mask();
    if (((next - home) & mask()) < ((next - hole) & mask())) continue;  // it would come to stand before its home
    index_[hole] = index_[next];
    hole = next;
  }
  index_[hole] = {};
  std::atomic_ref(pool_->at(number).use).store(KeyBlock::Use::vacant, std::memory_order_release);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // before another key's stores go into it
  vacant_.push_back(number);
  pool_->room().give_back(1);
  --size_;
}

}  // namespace latchkey::limit
