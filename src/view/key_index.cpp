#include "view/key_index.hpp"

#include <cstring>
#include <new>

namespace latchkey::view {
namespace {

using Entry = std::uint32_t;
constexpr Entry ref_mask = (Entry{1} << RowArena::ref_bits) - 1;

// One hash serves three choices, from different bits: the shard, the tag, and the place in the table.
constexpr std::size_t top(std::uint64_t hash, unsigned bits) { return hash >> (64 - bits); }
constexpr Entry tag_of(std::uint64_t hash) { return static_cast<Entry>(hash >> 16) & ~ref_mask; }

constexpr RowRef ref_of(Entry entry) { return entry & ref_mask; }

}  // namespace

/// `capacity` entries, a power of two, behind the header.
class KeyIndex::Table {
 public:
  static Table* create(std::uint32_t capacity) {
    void* memory = ::operator new(bytes(capacity));
    auto* table = new (memory) Table(capacity);
    for (std::uint32_t i = 0; i < capacity; ++i) new (&table->entry(i)) std::atomic<Entry>(0);
    return table;
  }
  static void destroy(void* table, std::uint64_t) { ::operator delete(table); }
  static std::size_t bytes(std::uint32_t capacity) { return sizeof(Table) + capacity * sizeof(std::atomic<Entry>); }

  std::uint32_t capacity() const { return mask_ + 1; }
  bool full(std::uint32_t count) const { return count >= capacity() - capacity() / 5; }

  /// The entry of the row that `is_it` accepts, or the free one where it would go.
  template <class IsIt>
  std::atomic<Entry>& seek(std::uint64_t hash, Entry& found, IsIt&& is_it) {
    const Entry tag = tag_of(hash);
    for (auto i = static_cast<std::uint32_t>(hash);; ++i) {
      auto& candidate = entry(i & mask_);
      found = candidate.load(std::memory_order_seq_cst);
      if (found == 0 || ((found & ~ref_mask) == tag && is_it(ref_of(found)))) return candidate;
    }
  }

  void prefetch(std::uint64_t hash) const {
    __builtin_prefetch(reinterpret_cast<const std::atomic<Entry>*>(this + 1) +
                       (static_cast<std::uint32_t>(hash) & mask_));
  }

  template <class Row>
  void each(Row&& row) {
    for (std::uint32_t i = 0; i < capacity(); ++i) {
      if (const Entry held = entry(i).load(std::memory_order_relaxed); held != 0) row(ref_of(held));
    }
  }

  /// Into a table that is larger, empty and not yet published.
  template <class HashOf>
  void copy_to(Table& larger, HashOf&& hash_of) {
    for (std::uint32_t i = 0; i < capacity(); ++i) {
      const Entry held = entry(i).load(std::memory_order_relaxed);
      if (held == 0) continue;
      Entry found = 0;
      larger.seek(hash_of(ref_of(held)), found, [](RowRef) { return false; }).store(held, std::memory_order_relaxed);
    }
  }

 private:
  explicit Table(std::uint32_t capacity) : mask_(capacity - 1) {}
  std::atomic<Entry>& entry(std::uint32_t i) { return reinterpret_cast<std::atomic<Entry>*>(this + 1)[i]; }

  std::uint32_t mask_;
};

KeyIndex::~KeyIndex() {
  for (Shard& shard : shards_) Table::destroy(shard.table.load(std::memory_order_relaxed), 0);
}

std::uint64_t KeyIndex::hash(const KeyId& id) const {
  std::uint64_t high = 0;
  std::memcpy(&high, id.bytes().data(), sizeof high);
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{high ^ seed_.first} * (id.low_bits() ^ seed_.second);
  const auto folded = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  return folded * 0x9E3779B97F4A7C15ULL;
}

std::size_t KeyIndex::shard_of(const KeyId& id) const { return top(hash(id), shard_bits); }

template <class IsIt>
RowRef KeyIndex::seek(const KeyId& id, IsIt&& is_it) const {
  const std::uint64_t hashed = hash(id);
  Table* table = shards_[top(hashed, shard_bits)].table.load(std::memory_order_seq_cst);
  if (table == nullptr) return 0;
  Entry found = 0;
  table->seek(hashed, found, is_it);
  return ref_of(found);
}

RowRef KeyIndex::find(const KeyId& id) const {
  return seek(id, [&](RowRef ref) { return rows_.at(ref).id() == id; });
}

RowRef KeyIndex::nearest(const KeyId& id) const {
  return seek(id, [](RowRef) { return true; });
}

void KeyIndex::prefetch(const KeyId& id) const {
  const std::uint64_t hashed = hash(id);
  const Table* table = shards_[top(hashed, shard_bits)].table.load(std::memory_order_seq_cst);
  if (table != nullptr) table->prefetch(hashed);
}

void KeyIndex::put(const KeyId& id, RowRef ref) {
  const std::uint64_t hashed = hash(id);
  const auto is_it = [&](RowRef other) { return rows_.at(other).id() == id; };
  Shard& shard = shards_[top(hashed, shard_bits)];
  Entry found = 0;
  Table* table = shard.table.load(std::memory_order_relaxed);
  if (table != nullptr) {
    auto& entry = table->seek(hashed, found, is_it);
    if (found != 0) return entry.store(tag_of(hashed) | ref, std::memory_order_seq_cst);
  }
  if (table == nullptr || table->full(shard.count)) table = grow(shard, table);
  ++shard.count;
  ++size_;
  table->seek(hashed, found, is_it).store(tag_of(hashed) | ref, std::memory_order_seq_cst);
}

void KeyIndex::visit(std::size_t shard, const std::function<void(RowRef)>& row) const {
  if (Table* table = shards_[shard].table.load(std::memory_order_relaxed)) table->each(row);
}

KeyIndex::Table* KeyIndex::grow(Shard& shard, Table* full) {
  const std::uint32_t capacity = full ? full->capacity() * 2 : first_capacity;
  Table* table = Table::create(capacity);
  table_bytes_ += Table::bytes(capacity);
  if (full) full->copy_to(*table, [this](RowRef ref) { return hash(rows_.at(ref).id()); });
  shard.table.store(table, std::memory_order_seq_cst);
  if (full) {
    table_bytes_ -= Table::bytes(full->capacity());
    reclamation_.retire(&Table::destroy, full, 0);
  }
  return table;
}

}  // namespace latchkey::view
