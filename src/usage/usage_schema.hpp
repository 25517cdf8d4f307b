#pragma once

// The tables, alike in both stores:
//
//   usage_keys      one row a key that was used: its user, last use; id 0 is no key but the sum of all
//   usage_names     plans and outcomes by number
//   usage_minutes, usage_hours, usage_days
//                   (key, time, plan, outcome) → count, cost; time in minutes, hours, days since 1970, UTC. A batch is
//                   added to all three at once, so that their sums agree at any moment.
//   usage_writers   how far each writer's batches were taken
//   usage_kept      since when each of the three is complete, where something was removed
//   usage_refusals  refused requests of the last 24 hours

#include <array>
#include <cstdint>
#include <string_view>

namespace latchkey::usage {

enum class Resolution : std::uint8_t { minute, hour, day };
inline constexpr std::array resolutions{Resolution::minute, Resolution::hour, Resolution::day};

constexpr std::string_view to_string(Resolution resolution) {
  constexpr std::array<std::string_view, 3> names{"minute", "hour", "day"};
  return names[static_cast<std::size_t>(resolution)];
}
constexpr std::string_view table_of(Resolution resolution) {
  constexpr std::array<std::string_view, 3> names{"usage_minutes", "usage_hours", "usage_days"};
  return names[static_cast<std::size_t>(resolution)];
}
constexpr std::int64_t minutes_of(Resolution resolution) {
  return resolution == Resolution::minute ? 1 : resolution == Resolution::hour ? 60 : 1440;
}
constexpr std::int64_t millis_of(Resolution resolution) { return minutes_of(resolution) * 60'000; }

}  // namespace latchkey::usage
