#pragma once

// What a counter at the store counts over, and how the store cuts time for it.
//
//   60 s       slots of half a second; a permit counts for 122 of them, which is 61 s
//   1 s        the same by a clock of its own that runs 60 times as fast: slots of 8⅓ ms, and so are all tolerances
//   3,600 s    slots of 30 s; a lease still ends with the half second (the beat) that it was granted in
//   a period   one slot, named by its start; its permits count until its end
//
// So what lease_protocol.hpp proves for 60 s holds for each window: in the proof stand slots, and a window is 120 of them.
// Times are milliseconds of the counter's clock: the store's, or for a window under a minute the fast one, 60/W to one.

#include <algorithm>
#include <cstdint>

#include "limit/calendar.hpp"

namespace latchkey::limit::lease {

constexpr std::int64_t slot_ms = 500;
constexpr std::int64_t slots_in_window = 122;
constexpr std::int64_t window_ms = slot_ms * slots_in_window;
constexpr std::int64_t slots_to_return = 20;
constexpr std::int64_t slots_to_return_long = 7200;
/// Stop polling for another replica's unspent permits once its lease is this many beats old.
constexpr std::int64_t slots_to_await = 4;
/// How far the store's clock may be from what a caller vouches for before it is in doubt. Holds the round trip.
constexpr std::int64_t step_tolerance_ms = 250;
/// A replica's clock runs at 1 / (1 + drift) to 1 + drift of the store's.
constexpr double drift = 0.001;

struct Span {
  std::uint32_t window_seconds = 60;  // 1 to 86,400; 0: a period
  PeriodBounds period{};              // by the store's TIME

  static constexpr std::uint32_t minute = 60;
  bool is_period() const { return window_seconds == 0; }
  bool is_long() const { return is_period() || window_seconds > minute; }
  /// Of its clock: a minute of it passes in so many seconds.
  std::uint32_t pace() const { return is_long() ? minute : window_seconds; }
  bool is_fast() const { return pace() < minute; }
  /// Nanoseconds to one millisecond of its clock.
  double tick_ns() const { return pace() * 1e6 / minute; }

  static std::int64_t beat_of(std::int64_t now_ms) { return now_ms / slot_ms; }
  std::int64_t slot_of(std::int64_t now_ms) const {
    if (is_period()) return period.start.count;
    return is_long() ? now_ms * 3 / (25 * std::int64_t{window_seconds}) : now_ms / slot_ms;
  }
  /// Of a window: the first millisecond of a slot.
  std::int64_t beginning_of(std::int64_t slot) const {
    return is_long() ? (slot * 25 * std::int64_t{window_seconds} + 2) / 3 : slot * slot_ms;
  }
  /// When the permits of `slot` leave. `raw_ms`: the store's TIME at `now_ms`.
  std::int64_t leaves_at(std::int64_t slot, std::int64_t now_ms, std::int64_t raw_ms) const {
    return is_period() ? now_ms + period.end.count - raw_ms : beginning_of(slot + slots_in_window);
  }
  /// A lease that was granted at `now_ms` is good until then.
  std::int64_t lease_ends(std::int64_t now_ms, std::int64_t raw_ms) const {
    const std::int64_t beat_ends = (beat_of(now_ms) + 1) * slot_ms;
    if (is_period()) return std::min(beat_ends, now_ms + period.end.count - raw_ms);
    return is_long() ? std::min(beat_ends, beginning_of(slot_of(now_ms) + 1)) : beat_ends;
  }
  /// Half seconds of the store's clock after the last call, after which a window's record is forgotten.
  std::int64_t forgotten_after() const { return std::int64_t{window_seconds} * 61 / 30 + 3; }
  /// A lease that is older, in beats, is no longer taken back: its permits stay counted. Longer than machines usually stall;
  /// of a long span, where what is not returned is missed for long, an hour.
  std::int64_t beats_to_return() const { return is_long() ? slots_to_return_long : slots_to_return; }
  /// After so long nothing that was granted before counts any more; of a period, never.
  std::int64_t whole_ms() const {
    return is_long() ? (slots_in_window * 25 * std::int64_t{window_seconds} + 2) / 3 : window_ms;
  }
};

}  // namespace latchkey::limit::lease
