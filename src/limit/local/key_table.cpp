#include "limit/local/key_table.hpp"

#include <algorithm>

namespace latchkey::limit {

KeyWindow* KeyTable::find(const KeyId& key, std::uint32_t hash) {
  for (std::uint32_t at = hash & mask(); index_[at].block != 0; at = (at + 1) & mask()) {
    if (index_[at].hash != hash) continue;
    KeyBlock& found = block(index_[at].block - 1);
    if (found.key == key) return &found.permits;
  }
  return nullptr;
}

KeyWindow& KeyTable::insert(const KeyId& key, std::uint32_t hash, std::int64_t now_ms) {
  sweep(sweep_step, now_ms);
  if (2 * (size_ + 1) > index_.size()) grow_index();
  const std::uint32_t number = vacant_block();
  KeyBlock& added = block(number);
  added.key = key;
  added.hash = hash;
  added.permits = KeyWindow();
  added.use = KeyBlock::Use::taken;
  place({.hash = hash, .block = number + 1});
  ++size_;
  return added.permits;
}

void KeyTable::sweep(std::uint32_t blocks, std::int64_t now_ms) {
  for (std::uint32_t left = std::min(blocks, made_); left > 0; --left) {
    if (hand_ >= made_) hand_ = 0;
    const KeyBlock& looked_at = block(hand_);
    if (looked_at.use == KeyBlock::Use::taken && looked_at.permits.idle(now_ms)) remove(hand_);
    ++hand_;
  }
}

std::uint32_t KeyTable::vacant_block() {
  if (vacant_.empty()) {
    const auto chunk = static_cast<std::uint32_t>(std::bit_width(made_ + first_chunk) - std::bit_width(first_chunk));
    const std::uint32_t blocks = first_chunk << chunk;
    chunks_.at(chunk) = std::make_unique<KeyBlock[]>(blocks);
    vacant_.reserve(made_ + blocks);  // so that remove() never allocates
    for (std::uint32_t number = made_ + blocks; number > made_; --number) vacant_.push_back(number - 1);
    made_ += blocks;
  }
  const std::uint32_t number = vacant_.back();
  vacant_.pop_back();
  return number;
}

void KeyTable::place(Entry entry) {
  std::uint32_t at = entry.hash & mask();
  while (index_[at].block != 0) at = (at + 1) & mask();
  index_[at] = entry;
}

void KeyTable::grow_index() {
  std::vector<Entry> before(2 * index_.size());
  before.swap(index_);
  for (const Entry& entry : before) {
    if (entry.block != 0) place(entry);
  }
}

void KeyTable::remove(std::uint32_t number) {
  KeyBlock& gone = block(number);
  std::uint32_t hole = gone.hash & mask();
  while (index_[hole].block != number + 1) hole = (hole + 1) & mask();
  for (std::uint32_t at = (hole + 1) & mask(); index_[at].block != 0; at = (at + 1) & mask()) {
    const std::uint32_t home = index_[at].hash & mask();
    if (((at - home) & mask()) < ((at - hole) & mask())) continue;  // it would come to stand before its home
    index_[hole] = index_[at];
    hole = at;
  }
  index_[hole] = {};
  gone.use = KeyBlock::Use::vacant;
  vacant_.push_back(number);
  --size_;
}

}  // namespace latchkey::limit
