#pragma once

// Where calendar periods begin and end. The one place that knows: a bound is taken from here, as UTC milliseconds,
// and never computed again.
//
//   day,   Europe/Berlin, 2026-03-29T10:00Z   →  [2026-03-28T23:00Z, 2026-03-29T22:00Z): a day of 23 hours is one day
//   month, anchor 31, UTC, 2026-02-10         →  [2026-01-31, 2026-02-28): the anchor is clamped anew in each month
//   day,   America/Havana, 2026-03-08         →  begins at 01:00 local time: midnight does not exist
//
// A period begins at the first instant at which the local clock shows midnight of its first day, or later. So where
// midnight comes twice the first one counts, and where it does not exist the jump does. Periods leave no gap and do not
// overlap. A day that a zone left out (Pacific/Apia, 2011-12-30) is no period.
//
// Rules come from the system's tzdata by way of cctz, read once a zone and process.

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "key/limit_spec.hpp"

namespace latchkey::limit {

/// start ≤ t < end.
struct PeriodBounds {
  UnixMillis start;
  UnixMillis end;
  bool operator==(const PeriodBounds&) const = default;
  bool contains(UnixMillis t) const { return start <= t && t < end; }
};

/// The periods of one kind in one time zone. Any thread may call any method.
class Calendar {
 public:
  struct Zone;
  Calendar(PeriodUnit period, const Zone& zone, unsigned anchor_day);

  /// The period that `t` is in. Remembers the last answer, so that a request costs a comparison. `t` is taken to be
  /// between the years 1970 and 9999.
  PeriodBounds at(UnixMillis t) const;
  PeriodUnit unit() const { return period_; }

 private:
  PeriodBounds compute(UnixMillis t) const;
  void remember(const PeriodBounds& bounds) const;

  const PeriodUnit period_;
  const Zone& zone_;
  const unsigned anchor_day_;

  // The last answer; odd: it is being written.
  mutable std::atomic<std::uint32_t> writes_{0};
  mutable std::atomic<std::int64_t> start_{0};
  mutable std::atomic<std::int64_t> end_{0};
};

/// The one calendar of these three, kept until the process ends. `anchor_day`: 1 to 31 for months, 1 (Monday) to 7 for
/// weeks, of no meaning for days. nullptr: the system's tzdata has no zone of this name, or the anchor is none.
const Calendar* calendar_of(PeriodUnit period, std::string_view time_zone, unsigned anchor_day = 1);

/// Whether the system's tzdata has a zone of this name.
bool is_known_time_zone(std::string_view name);

}  // namespace latchkey::limit
