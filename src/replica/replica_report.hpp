#pragma once

// What a replica says of itself.

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "key/change_kind.hpp"
#include "key/position.hpp"

namespace latchkey::replica {

/// Random, anew for each start of the process: what was known of one life says nothing of the next.
/// Text: 32 lower-case hex digits.
struct ReplicaId {
  std::array<std::uint8_t, 16> bytes{};

  static ReplicaId generate(Random& random);
  static std::optional<ReplicaId> parse(std::string_view text);
  std::string to_string() const;
  auto operator<=>(const ReplicaId&) const = default;
};

enum class Phase : std::uint8_t {
  running,
  stopped,  // it will not answer any request again
};

struct ReplicaReport {
  ReplicaId id;
  std::string name;          // for people; need not be unique
  std::uint64_t number = 0;  // of this replica's reports: 1, 2, 3, …
  Phase phase = Phase::running;
  std::optional<Position> applied;        // nullopt: its view is not complete
  Nonce applied_nonce = {};               // of the change at `applied`: of which history it is (feed/log_end.hpp)
  std::chrono::milliseconds view_age{0};  // when it was reported
  std::chrono::milliseconds max_staleness{0};
  UnixMillis started_at;                           // by the replica's clock, for people
  UnixMillis reported_at;                          // likewise
  std::uint32_t understands = oldest_change_kind;  // the newest kind of change (key/change_kind.hpp)

  bool operator==(const ReplicaReport&) const = default;
};

/// As a registry or Redis gave it: what is there for people, in bounds that can be shown. nullopt: no replica can have
/// said that, and what is concluded from it would overflow.
std::optional<ReplicaReport> checked(ReplicaReport report);

}  // namespace latchkey::replica
