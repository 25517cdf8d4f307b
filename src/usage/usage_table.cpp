#include "usage/usage_table.hpp"

#include <algorithm>
#include <limits>

namespace latchkey::usage {
namespace {

constexpr std::size_t least_index = 2048;
constexpr std::int64_t millis_a_minute = 60'000;
constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();

}  // namespace

std::size_t UsageTable::hash_of(const Identity& id) {
  const std::uint64_t rest = std::uint64_t{id.plan} << 16U | std::uint64_t{id.minute} << 8U | id.outcome;
  std::uint64_t hash = (id.key.low_bits() ^ rest * 0xC2B2AE3D27D4EB4FULL) * 0x9E3779B97F4A7C15ULL;
  hash ^= hash >> 32U;
  return static_cast<std::size_t>(hash);
}

// As two numbers: a call of memcmp costs as much as all the rest.
bool UsageTable::is(const Entry& entry, const Identity& id) {
  std::array<std::uint64_t, 2> one, other;
  std::memcpy(one.data(), entry.key.bytes().data(), sizeof one);
  std::memcpy(other.data(), id.key.bytes().data(), sizeof other);
  return ((one[0] ^ other[0]) | (one[1] ^ other[1])) == 0 && entry.outcome == id.outcome && entry.minute == id.minute &&
         entry.plan == id.plan;
}

/// Where the entry's number stands, or would.
std::uint32_t& UsageTable::place_of(const Identity& id) {
  const std::size_t mask = index_.size() - 1;
  std::size_t i = hash_of(id) & mask;
  while (index_[i] != 0 && !is(entry(index_[i] - 1), id)) i = (i + 1) & mask;
  return index_[i];
}

bool UsageTable::add(const Use& use) {
  const std::int64_t minute = use.time.count / millis_a_minute;
  if (size_ == 0) first_minute_ = minute;
  // A clock that was set back counts into the first minute.
  const std::int64_t offset = std::max<std::int64_t>(minute - first_minute_, 0);
  if (offset > std::numeric_limits<std::uint8_t>::max()) return false;
  const std::uint16_t plan = use.plan.empty() ? std::uint16_t{0} : plan_number(use.plan);
  const Identity id{use.key, plan, static_cast<std::uint8_t>(offset), use.outcome};
  if ((size_ + 1) * 8 > index_.size() * 7) grow_index();
  std::uint32_t& place = place_of(id);
  Entry* entry = place == 0 ? nullptr : &at(place - 1);
  if (entry == nullptr || entry->count == most || use.cost > most - entry->cost) {
    if (!append(place, id)) return false;
    entry = &at(place - 1);
  }
  ++entry->count;
  entry->cost += use.cost;
  entry->last_millis = static_cast<std::uint16_t>(use.time.count - minute * millis_a_minute);
  entry->address = use.address.octets;
  entry->address_is_v4 = use.address.is_v4;
  return true;
}

bool UsageTable::append(std::uint32_t& place, const Identity& id) {
  if (size_ == most_entries_) return false;
  if (size_ == blocks_.size() * block_entries) blocks_.push_back(std::make_unique<Entry[]>(block_entries));
  at(size_) = Entry{.key = id.key,
                    .count = 0,
                    .cost = 0,
                    .last_millis = 0,
                    .plan = id.plan,
                    .minute = id.minute,
                    .outcome = id.outcome,
                    .address_is_v4 = 1,
                    .address = {}};
  place = static_cast<std::uint32_t>(++size_);
  return true;
}

void UsageTable::grow_index() {
  index_.assign(std::max(index_.size() * 2, least_index), 0);
  for (std::size_t i = 0; i < size_; ++i) {
    const Entry& entry = this->entry(i);
    // Of two entries of one identity the later one, which has room.
    place_of({entry.key, entry.plan, entry.minute, entry.outcome}) = static_cast<std::uint32_t>(i + 1);
  }
}

// As many as 16 bits can tell apart; further ones count as none.
std::uint16_t UsageTable::plan_number(std::string_view plan) {
  if (const auto found = plan_numbers_.find(plan); found != plan_numbers_.end()) return found->second;
  if (plans_.size() == std::numeric_limits<std::uint16_t>::max()) return 0;
  const auto [made, fresh] = plan_numbers_.emplace(plan, static_cast<std::uint16_t>(plans_.size() + 1));
  plans_.push_back(&made->first);
  return made->second;
}

void UsageTable::clear() {
  size_ = 0;
  if (blocks_.size() > 1) blocks_.resize(1);
  if (index_.size() > least_index) {
    index_ = std::vector<std::uint32_t>(least_index, 0);
  } else {
    std::ranges::fill(index_, 0);
  }
  plan_numbers_.clear();
  plans_.clear();
}

}  // namespace latchkey::usage
