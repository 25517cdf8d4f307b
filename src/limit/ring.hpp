#pragma once

// The window of one key with a small limit: a stamp in milliseconds for each permit in use. Pure: no clock, no lock.
//
// Why rounding is safe. An admission at the true time t is stamped m = ⌊t⌋ ms, so m ≤ t < m + 1. A permit is in use at
// m' while m' − m ≤ 60,000.
// - Never over: it is free from m' ≥ m + 60,001, when t' ≥ m' ≥ m + 60,001 > t + 60,000: the two are more than 60 s
//   apart, so no closed interval of 60 s has both.
// - Never refused early: in use means t' − t < (m' + 1) − m ≤ 60,001 ms, within the last 61 s.
//
// Why 32 bits are enough. A stamp wraps after 49.7 days, so ages must be known to be small. KeyWindow empties the ring
// when the last admission is more than 61 s ago, and expire() ran at that admission, so every stamp that expire() looks
// at is younger than 61 + 60 s.
//
// Order of stores: the stamp, then the head, then the caller admits. A process that dies between any two of them leaves
// either a permit that nobody got or one more than that, never a request admitted without its permit. The slot under
// the head is always of a permit that has returned.

#include <array>
#include <atomic>
#include <cstdint>
#include <type_traits>

namespace latchkey::limit {

struct Ring {
  static constexpr std::uint32_t capacity = 64;
  static constexpr std::uint32_t hold_ms = 60'000;  // a stamp of this age is still in use

  std::uint32_t head = 0;  // permits ever taken; the next goes to slot head % capacity
  std::uint32_t tail = 0;  // permits ever returned
  std::array<std::uint32_t, capacity> stamps{};

  std::uint32_t used() const { return head - tail; }

  /// Takes back the permits that have left the window.
  void expire(std::int64_t now_ms) {
    while (tail != head && age_ms(tail, now_ms) > hold_ms) ++tail;
  }

  /// Takes one permit. Needs used() < capacity and stamps in ascending order.
  void take(std::int64_t stamp_ms) {
    stamps[head % capacity] = static_cast<std::uint32_t>(stamp_ms);
    std::atomic_ref(head).store(head + 1, std::memory_order_release);
  }

  /// Until the `count` oldest permits have returned, rounded up. 1 ≤ count ≤ used(), expire(now_ms) done; answers 1
  /// to 61.
  std::uint32_t seconds_until_returned(std::uint32_t count, std::int64_t now_ms) const {
    const std::uint32_t wait_ms = hold_ms + 1 - age_ms(tail + count - 1, now_ms);
    return (wait_ms + 999) / 1000;
  }

  /// After a crash. False: these are no numbers that any process left.
  bool sound() const { return used() <= capacity; }

  std::uint32_t age_ms(std::uint32_t permit, std::int64_t now_ms) const {
    return static_cast<std::uint32_t>(now_ms) - stamps[permit % capacity];
  }
};

static_assert(std::is_trivially_copyable_v<Ring> && sizeof(Ring) == 264);

}  // namespace latchkey::limit
