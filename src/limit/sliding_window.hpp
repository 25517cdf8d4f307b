#pragma once

// One sliding window of 1 to 60 s by boot time: 61 buckets of a sixtieth each (limit/buckets.hpp). Pure: no clock, no
// lock. Any limit may be asked of it at any time; lowering one forgets nothing.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "limit/buckets.hpp"
#include "limit/fit.hpp"
#include "limit/tick_scale.hpp"

namespace latchkey::limit {

/// Of fixed layout, for a mapped file. Times are nanoseconds since boot; an earlier one than before counts as that.
class SlidingWindow {
 public:
  SlidingWindow() = default;
  explicit SlidingWindow(std::uint32_t window_seconds) : window_seconds_(window_seconds) {}

  Fit fit(std::int64_t now_ns, std::uint32_t requests, std::uint32_t units) {
    buckets_.advance(scale().tick_of(now_ns));
    if (now_ns < known_from_ns_) return unknown(now_ns);
    const std::uint64_t used = buckets_.used();
    Fit fit{.fits = used + units <= requests, .used = used};
    if (used == 0) return fit;
    fit.reset_ns = until_returned(used < requests ? 1 : std::min(used - requests + 1, used), now_ns);
    if (!fit.fits) fit.wait_ns = until_returned(std::min(used + units - requests, used), now_ns);
    return fit;
  }
  /// Whether they fit or not. After fit() of the same time.
  void take(std::uint32_t units) {
    buckets_.take(buckets_.newest, std::min(units, std::numeric_limits<std::uint32_t>::max() - buckets_.used()));
  }
  bool idle(std::int64_t now_ns) const {
    return scale().tick_of(now_ns) >= buckets_.newest + TickBuckets::count && now_ns >= known_from_ns_;
  }

  /// Once, for a window that another process of this boot left, before anything else.
  void recover(std::int64_t now_ns) {
    if (window_seconds_ < 1 || window_seconds_ > longest_seconds || !buckets_.recover(scale().tick_of(now_ns))) {
      window_seconds_ = std::clamp(window_seconds_, 1U, longest_seconds);
      distrust(now_ns);
    }
  }
  /// Whatever it holds, it counts as used up from now on, as long as that can matter.
  void distrust(std::int64_t now_ns) {
    buckets_ = TickBuckets();
    known_from_ns_ = scale().beginning_of(scale().tick_of(now_ns) + TickBuckets::count);
  }

  static constexpr std::uint32_t longest_seconds = 60;

 private:
  TickScale scale() const { return TickScale(window_seconds_); }
  Fit unknown(std::int64_t now_ns) const {
    const std::int64_t wait = known_from_ns_ - now_ns;
    return {.fits = false, .used = std::numeric_limits<std::uint32_t>::max(), .wait_ns = wait, .reset_ns = wait};
  }
  std::int64_t until_returned(std::uint64_t units, std::int64_t now_ns) const {
    const auto ticks = buckets_.ticks_until_returned(static_cast<std::uint32_t>(units));
    return scale().beginning_of(buckets_.newest + ticks) - now_ns;
  }

  std::uint32_t window_seconds_ = 60;
  std::int64_t known_from_ns_ = 0;  // before, anything may have been admitted
  TickBuckets buckets_;
};

static_assert(std::is_trivially_copyable_v<SlidingWindow> && sizeof(SlidingWindow) == 280);

}  // namespace latchkey::limit
