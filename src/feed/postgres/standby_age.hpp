#pragma once

// How current a standby is, so that one which lost its primary never looks fresh.
//
// Management services write the primary's time into the table heartbeat once a second. A reader that sees that row on a
// standby sees everything that was committed before that time: the standby replays in commit order. Its age is measured
// twice, and the older counts:
//   - by wall clocks: our time minus the beat's. Right as far as the two machines' clocks agree (NTP); a clock of ours
//     that is behind hides that much lag, so add the disagreement you allow to max_staleness' budget
//   - by our own monotonic clock: no newer than when this beat was first seen, whatever the clocks say
// A restored dump, or what was a subscriber of logical replication, is judged so too until a management service commits
// to it (store/postgres/life.hpp): the database that takes the commands may be another. Without any management service
// there are no beats, and readers of a standby refuse after max_staleness.

#include <algorithm>
#include <optional>

#include "base/clock.hpp"

namespace latchkey::feed::postgres {

/// One thread.
class StandbyAge {
 public:
  /// A moment at which what the standby shows was all there was. `wall` and `boot` were taken before the read.
  BootTime current_as_of(UnixMillis beat, UnixMillis wall, BootTime boot) {
    if (!seen_ || beat != seen_->beat) seen_ = Seen{beat, boot};
    const auto behind = std::chrono::milliseconds(std::max<std::int64_t>(0, wall.count - beat.count));
    return std::min(seen_->first, boot + -std::chrono::duration_cast<Duration>(behind));
  }

 private:
  struct Seen {
    UnixMillis beat;
    BootTime first;
  };
  std::optional<Seen> seen_;
};

}  // namespace latchkey::feed::postgres
