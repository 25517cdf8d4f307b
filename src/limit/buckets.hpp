#pragma once

// The window of one key with a large limit: permits taken in each of the last 61 seconds; or, of any sliding window, in
// each of the last 61 ticks of a sixtieth of it (limit/tick_scale.hpp), whatever is said of seconds here. Pure: no
// clock, no lock.
//
// Why 61. A closed interval of 60 s touches at most 61 whole seconds a..a+60. Let t be its last admission, in second
// s ≤ a + 60: the seconds s−60..s hold every admission of the interval, and with t their sum was at most N.
// Never refused early: a refusal in second s means N admissions in s−60..s, the oldest at or after s−60, the refusal
// before s+1: less than 61 s apart.
//
// Seconds are counted in 32 bits since boot: 136 years; ticks, of which a window of 1 s has 60 a second, in 64. Needs no order between limit and history, so any limit may be
// asked of it at any time.
//
// Order of stores: the bucket, then the sum, then the caller admits. The sum is derived; recover() adds the buckets up
// again after a crash. A bucket is emptied before `newest` names its new second.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <numeric>
#include <type_traits>

namespace latchkey::limit {

template <class Tick>
struct BasicBuckets {
  static constexpr std::uint32_t count = 61;

  Tick newest = 0;  // second of the latest bucket; the others are the 60 before it
  Tick oldest = 0;  // no bucket before this second holds a permit
  std::uint32_t sum = 0;
  std::array<std::uint32_t, count> taken{};

  std::uint32_t used() const { return sum; }
  std::uint32_t& at(Tick second) { return taken[second % count]; }
  std::uint32_t at(Tick second) const { return taken[second % count]; }

  /// Takes back the permits of seconds that have left the window. A time before `newest` counts as `newest`.
  void advance(Tick second) {
    if (second <= newest) return;
    if (second - newest >= count) {
      taken.fill(0);
      sum = 0;
    } else {
      for (Tick each = newest + 1; each <= second; ++each) empty(each);
    }
    std::atomic_ref(newest).store(second, std::memory_order_release);
    skip_empty();
  }

  /// Takes `permits` in `second`: within the last 61, after advance().
  void take(Tick second, std::uint32_t permits = 1) {
    if (sum == 0 || second < oldest) oldest = second;
    at(second) += permits;
    std::atomic_ref(sum).store(sum + permits, std::memory_order_release);
  }

  /// Until the `permits` oldest have returned. 1 ≤ permits ≤ used(), after advance(); answers 1 to 61. Whole seconds
  /// are exact here: second q leaves when second q+61 begins, and R seconds from any instant of s is an instant of s+R.
  std::uint32_t ticks_until_returned(std::uint32_t permits) const {
    Tick second = oldest;
    for (std::uint64_t returned = at(second); returned < permits; returned += at(second)) ++second;
    return static_cast<std::uint32_t>(second + count - newest);
  }

  /// After a crash, in `second` or earlier. False: these are no numbers that any process left.
  bool recover(Tick second) {
    sum = std::accumulate(taken.begin(), taken.end(), std::uint32_t{0});
    oldest = 0;
    skip_empty();
    return newest <= second;
  }

 private:
  void empty(Tick second) {
    sum -= at(second);
    at(second) = 0;
  }
  void skip_empty() {
    const Tick first = newest < count ? 0 : newest - (count - 1);
    oldest = std::max(oldest, first);
    while (oldest < newest && at(oldest) == 0) ++oldest;
  }
};

using Buckets = BasicBuckets<std::uint32_t>;
using TickBuckets = BasicBuckets<std::uint64_t>;

static_assert(std::is_trivially_copyable_v<Buckets> && sizeof(Buckets) == 256);

}  // namespace latchkey::limit
