#pragma once

// The counters of one shard by their ids: numbered places that never move, and an index of four bytes a place.

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "limit/counter_id.hpp"
#include "limit/local/counter_room.hpp"

namespace latchkey::limit {

/// In memory of its own.
template <class Counter>
class ChunkStorage {
 public:
  Counter& at(std::uint32_t number) { return (*chunks_[number / chunk])[number % chunk]; }
  void add(std::vector<std::uint32_t>& numbers) {
    const auto first = static_cast<std::uint32_t>(chunks_.size()) * chunk;
    chunks_.push_back(std::make_unique<std::array<Counter, chunk>>());
    for (std::uint32_t i = 0; i < chunk; ++i) numbers.push_back(first + i);
  }
  void occupy(Counter& counter, const CounterId& id) {
    counter = Counter();
    counter.id = id;
    if (room_ != nullptr) room_->take(1);
  }
  void vacate(Counter&) {
    if (room_ != nullptr) room_->give_back(1);
  }
  void use(CounterRoom& room) { room_ = &room; }
  static CounterId id_of(const Counter& counter) { return counter.id; }

 private:
  static constexpr std::uint32_t chunk = 8;
  std::vector<std::unique_ptr<std::array<Counter, chunk>>> chunks_;
  CounterRoom* room_ = nullptr;
};

/// One thread at a time. A counter stays where it is until it is erased.
template <class Counter, class Storage = ChunkStorage<Counter>>
class CounterPool {
 public:
  explicit CounterPool(Storage storage = Storage()) : storage_(std::move(storage)) {}

  /// nullptr: there is none.
  Counter* find(const CounterId& id) {
    for (std::uint32_t at = home(id); index_[at] != 0; at = next(at)) {
      if (Storage::id_of(counter(index_[at])) == id) return &counter(index_[at]);
    }
    return nullptr;
  }
  /// Of an id that find() did not know.
  Counter& insert(const CounterId& id) {
    if (4 * (size_ + 1) > 3 * index_.size()) grow();
    const std::uint32_t number = vacant_number();
    storage_.occupy(counter(number), id);
    place(number);
    ++size_;
    return counter(number);
  }
  /// Takes over the storage's place `index`, of an id that find() did not know.
  void adopt(std::uint32_t index) {
    if (4 * (size_ + 1) > 3 * index_.size()) grow();
    place(index + 1);
    ++size_;
  }
  template <class Act>
  void for_each(Act&& act) {
    for (const std::uint32_t number : index_) {
      if (number != 0) act(counter(number));
    }
  }
  /// Looks at the next `places` places of the index and erases those that `is_idle`.
  template <class IsIdle>
  void sweep(std::uint32_t places, IsIdle&& is_idle) {
    for (; places > 0 && size_ > 0; --places) {
      sweep_position_ &= mask();
      if (index_[sweep_position_] != 0 && is_idle(counter(index_[sweep_position_]))) {
        erase(sweep_position_);  // another may stand here now
      } else {
        ++sweep_position_;
      }
    }
  }
  std::uint32_t size() const { return size_; }
  bool has_vacancy() const { return !vacant_.empty(); }
  Storage& storage() { return storage_; }

 private:
  Counter& counter(std::uint32_t number) { return storage_.at(number - 1); }
  std::uint32_t mask() const { return static_cast<std::uint32_t>(index_.size() - 1); }
  std::uint32_t home(const CounterId& id) const {
    return static_cast<std::uint32_t>(std::hash<CounterId>()(id) >> 20U) & mask();  // the highest bits chose the shard
  }
  std::uint32_t next(std::uint32_t at) const { return (at + 1) & mask(); }
  void place(std::uint32_t number) {
    std::uint32_t at = home(Storage::id_of(counter(number)));
    while (index_[at] != 0) at = next(at);
    index_[at] = number;
  }
  void grow() {
    std::vector<std::uint32_t> before(2 * index_.size());
    before.swap(index_);
    for (const std::uint32_t number : before) {
      if (number != 0) place(number);
    }
  }
  std::uint32_t vacant_number() {
    if (vacant_.empty()) storage_.add(vacant_);
    const std::uint32_t number = vacant_.back() + 1;
    vacant_.pop_back();
    return number;
  }
  void erase(std::uint32_t at) {
    storage_.vacate(counter(index_[at]));
    vacant_.push_back(index_[at] - 1);
    --size_;
    std::uint32_t hole = at;
    for (std::uint32_t after = next(hole); index_[after] != 0; after = next(after)) {
      const std::uint32_t from = home(Storage::id_of(counter(index_[after])));
      if (((after - from) & mask()) < ((after - hole) & mask())) continue;  // it would come to stand before its home
      index_[hole] = index_[after];
      hole = after;
    }
    index_[hole] = 0;
  }

  std::vector<std::uint32_t> index_ =
      std::vector<std::uint32_t>(4);  // of counters, from 1; 0: free. At most three quarters full
  Storage storage_;
  std::vector<std::uint32_t> vacant_;
  std::uint32_t size_ = 0;
  std::uint32_t sweep_position_ = 0;  // where the sweep goes on
};

}  // namespace latchkey::limit
