#pragma once

// Counts by key, plan, outcome and minute, as one thread adds them up. Entries stand close together in blocks; an index
// of 32-bit places finds them, so that a key costs 36 bytes and at most 9 more.
//
//   index   [ . 2 . . 1 3 . ]  ← hash of (key, plan, outcome, minute)
//   blocks  [ e1 e2 e3 … ]
//
// A count that would overflow begins a second entry: entries are sums, and are added up where they are read.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "usage/use.hpp"

namespace latchkey::usage {

/// Not thread-safe. Allocates for the first use, then for every 1024th entry and as the index doubles.
class UsageTable {
 public:
  struct Entry {
    KeyId key;
    std::uint32_t count;
    std::uint32_t cost;
    std::uint16_t last_millis;  // of the minute, of the last use
    std::uint16_t plan;
    std::uint8_t minute;  // since the table's first
    std::uint8_t outcome : 7;
    std::uint8_t address_is_v4 : 1;
    std::array<std::uint8_t, 6> address;
  };
  static_assert(sizeof(Entry) == 36);

  static constexpr std::size_t block_entries = 1024;
  static constexpr std::size_t default_most_entries = std::size_t{1} << 18U;

  explicit UsageTable(std::size_t most_entries = default_most_entries) : most_entries_(most_entries) {}

  /// False: there is no room, or the table is four hours old.
  bool add(const Use& use);

  std::size_t size() const { return size_; }
  const Entry& entry(std::size_t i) const { return blocks_[i / block_entries][i % block_entries]; }
  std::int64_t minute_of(const Entry& entry) const { return first_minute_ + entry.minute; }
  UnixMillis last_use_of(const Entry& entry) const { return {minute_of(entry) * 60'000 + entry.last_millis}; }
  std::string_view plan_of(const Entry& entry) const {
    return entry.plan == 0 ? std::string_view() : std::string_view(*plans_[entry.plan - 1]);
  }
  std::size_t bytes() const { return blocks_.size() * block_entries * sizeof(Entry) + index_.size() * 4; }
  /// Keeps the room of a small table, for the next use.
  void clear();

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Identity {
    KeyId key;
    std::uint16_t plan;
    std::uint8_t minute;
    std::uint8_t outcome;
  };

  Entry& at(std::size_t i) { return blocks_[i / block_entries][i % block_entries]; }
  static std::size_t hash_of(const Identity& id);
  static bool is(const Entry& entry, const Identity& id);
  std::uint32_t& place_of(const Identity& id);
  bool append(std::uint32_t& place, const Identity& id);
  void grow_index();
  std::uint16_t plan_number(std::string_view plan);

  std::size_t most_entries_;
  std::vector<std::unique_ptr<Entry[]>> blocks_;
  std::vector<std::uint32_t> index_;  // entry and one; 0: free
  std::size_t size_ = 0;
  std::int64_t first_minute_ = 0;
  std::unordered_map<std::string, std::uint16_t, TextHash, std::equal_to<>> plan_numbers_;
  std::vector<const std::string*> plans_;  // by number, from 1; in plan_numbers_
};

}  // namespace latchkey::usage
