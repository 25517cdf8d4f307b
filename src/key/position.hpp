#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace latchkey {

/// Names one life of one database: a new database, a restored backup marked as such or a failover gets another.
struct Epoch {
  std::uint64_t value = 0;
  auto operator<=>(const Epoch&) const = default;
};

/// Where in the change log: the last change seen. `seq` is dense and in commit order within one epoch; 0 is before the
/// first change. Text form "<epoch, 16 lower-case hex digits>.<seq, decimal>", e.g. "00c0ffee00c0ffee.42".
/// Positions of different epochs have no order: compare `epoch` first, then `seq`.
struct Position {
  Epoch epoch;
  std::uint64_t seq = 0;

  static std::optional<Position> parse(std::string_view text);
  std::string to_string() const;
  bool operator==(const Position&) const = default;
};

}  // namespace latchkey
