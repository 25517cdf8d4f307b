#pragma once

// When keys are fetched from a provider, as a rule over times alone.
//
//   asked for (an unknown kid)   at once, but not within 5 s of the fetch before, whatever kids come
//   after a good fetch           10 minutes later, so that a key that was withdrawn goes; sooner where keys are believed for
//                                less than 20 minutes: when half of that has passed
//   after a failed one           5 s later, then 10, 20, … up to 60
//
// Keys that were once fetched are believed for a day after the last good fetch: a provider that is down for an hour
// changes nothing.

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/clock.hpp"

namespace latchkey::admin_identity {

struct RenewalTimes {
  Duration least_pause = std::chrono::seconds(5);
  Duration longest_pause = std::chrono::seconds(60);  // after failures
  Duration usual = std::chrono::minutes(10);
  Duration max_age = std::chrono::hours(24);
};

/// Not for several threads at once.
class Renewal {
 public:
  explicit Renewal(RenewalTimes times) : times_(times) {}

  /// The next fetch may begin at this time; already past: now.
  BootTime due(bool asked_for) const {
    if (!begun_) return {};
    if (asked_for) return *begun_ + times_.least_pause;
    return *begun_ + (failures_ == 0 ? usual() : pause());
  }
  void begin(BootTime now) { begun_ = now; }
  void end(bool good) {
    failures_ = good ? 0 : std::min(failures_ + 1, 10U);
    if (good) good_ = begun_;
  }
  /// Whether the keys of the last good fetch are believed still. Counted from its begin: they were as old then.
  bool usable(BootTime now) const { return good_ && now - *good_ <= times_.max_age; }

 private:
  Duration usual() const { return std::clamp(times_.max_age / 2, times_.least_pause, times_.usual); }
  Duration pause() const { return std::min(times_.least_pause * (1U << (failures_ - 1)), times_.longest_pause); }

  RenewalTimes times_;
  std::optional<BootTime> begun_;  // the last one
  std::optional<BootTime> good_;   // the last good one
  unsigned failures_ = 0;          // since then
};

}  // namespace latchkey::admin_identity
