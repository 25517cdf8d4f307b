#pragma once

// Rows by a name of their own (plans, users): one open-addressing table of pointers, immutable rows. A change of a row
// is one pointer, whatever refers to it by name.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "key/plan.hpp"
#include "key/user.hpp"
#include "view/key_index.hpp"
#include "view/reclamation.hpp"

namespace latchkey::view {

inline std::string_view name_of(const Plan& plan) { return plan.name; }
inline std::string_view name_of(const User& user) { return user.user_id; }

/// Of names; seeded, so that nobody can choose names that collide without having seen many.
inline std::uint64_t hash_of(std::string_view name, HashSeed seed) {
  std::uint64_t hash = std::hash<std::string_view>()(name) ^ seed.first;
  hash = (hash ^ hash >> 32U) * (seed.second | 1U);
  return hash ^ hash >> 29U;
}

/// One writer. Rows are never removed: a deleted one keeps its row, which says so.
template <class Row>
class NamedRows {
 public:
  NamedRows(Reclamation& reclamation, HashSeed seed) : reclamation_(reclamation), seed_(seed) {}
  ~NamedRows() {
    visit([](const Row& row) { delete &row; });
    delete table_.load(std::memory_order_relaxed);
  }
  NamedRows(const NamedRows&) = delete;
  NamedRows& operator=(const NamedRows&) = delete;

  /// nullptr when there is none. Any thread, between Reclamation's enter() and leave().
  const Row* find(std::string_view name) const {
    const Table* table = table_.load(std::memory_order_seq_cst);
    return table == nullptr ? nullptr : table->seek(hash_of(name, seed_), name).load(std::memory_order_seq_cst);
  }

  // The writer.
  /// Publishes the row under its name, in place of the one that was there.
  template <class From>
  void emplace(From&& from) {
    grow_where_full();
    const auto* fresh = new Row(std::forward<From>(from));
    auto& place = table_.load(std::memory_order_relaxed)->seek(hash_of(name_of(*fresh), seed_), name_of(*fresh));
    const Row* before = place.exchange(fresh, std::memory_order_seq_cst);
    if (before == nullptr) {
      ++size_;
    } else {
      reclamation_.retire([](void* held, std::uint64_t) { delete static_cast<const Row*>(held); },
                          const_cast<Row*>(before), 0);
    }
  }
  template <class Visit>
  void visit(Visit&& visit) const {
    const Table* table = table_.load(std::memory_order_relaxed);
    if (table == nullptr) return;
    for (std::size_t i = 0; i <= table->mask; ++i) {
      if (const Row* row = table->places[i].load(std::memory_order_relaxed)) visit(*row);
    }
  }
  std::size_t size() const { return size_; }
  /// 16 bits of the name's hash, whether it is here or not.
  std::uint16_t tag_of(std::string_view name) const { return static_cast<std::uint16_t>(hash_of(name, seed_) >> 48U); }

 private:
  using Place = std::atomic<const Row*>;
  static constexpr std::size_t first_capacity = 16;

  struct Table {
    explicit Table(std::size_t capacity) : mask(capacity - 1), places(new Place[capacity]()) {}
    /// The place of that name's row, or the free one where it would go. There always is one.
    Place& seek(std::uint64_t hash, std::string_view name) const {
      for (std::size_t i = hash;; ++i) {
        Place& place = places[i & mask];
        const Row* row = place.load(std::memory_order_seq_cst);
        if (row == nullptr || name_of(*row) == name) return place;
      }
    }
    const std::size_t mask;
    const std::unique_ptr<Place[]> places;
  };

  // At half its size a table is copied to one of twice that, which readers find from then on.
  void grow_where_full() {
    Table* full = table_.load(std::memory_order_relaxed);
    if (full != nullptr && size_ < (full->mask + 1) / 2) return;
    auto* larger = new Table(full == nullptr ? first_capacity : 2 * (full->mask + 1));
    visit([&](const Row& row) {
      larger->seek(hash_of(name_of(row), seed_), name_of(row)).store(&row, std::memory_order_relaxed);
    });
    table_.store(larger, std::memory_order_seq_cst);
    if (full == nullptr) return;
    reclamation_.retire([](void* table, std::uint64_t) { delete static_cast<Table*>(table); }, full, 0);
  }

  Reclamation& reclamation_;
  const HashSeed seed_;
  std::atomic<Table*> table_{nullptr};
  std::size_t size_ = 0;
};

}  // namespace latchkey::view
