#pragma once

// What the access check hands to the limiter for a key with more than a plain `requestsPerMinute`, and what it hears.
//
//   limits in force: 10 per second per key, 5,000 per day per user; a request of cost 3
//   → admitted, with 3 taken of both; or limited, with nothing taken of either
//
// Admitted by all or by none: what refuses takes nothing.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "key/position.hpp"
#include "limit/calendar.hpp"
#include "limit/counter_id.hpp"

namespace latchkey::limit {

constexpr std::uint32_t max_cost = 1'000'000;

/// One limit in force. Made where a row's terms are read, not for each request.
struct ActiveLimit {
  std::uint64_t counter = per_minute_counter;  // counter_of_key() or counter_of_user()
  const Calendar* calendar = nullptr;          // of a period; null: a sliding window
  std::uint32_t window_seconds = 60;           // 1 to 86,400; 0 for a period
  std::uint32_t requests = 1;                  // 1 to max_limit_requests
  Version version = {};                        // of the row that defines it
  Epoch epoch = {};
  bool per_user = false;
  bool observe = false;  // counted and shown, never refusing
};

/// nullopt: this system knows no such time zone. `defined_by` names the row of a limit per user (limit/counter_id.hpp). The
/// caller sets version and epoch.
std::optional<ActiveLimit> active_limit(const LimitSpec& spec, std::string_view defined_by);

/// One request, or one look. The engine copies what it keeps.
struct Charge {
  KeyId key;
  OwnerId user;                         // looked at only where a limit is per user
  std::span<const ActiveLimit> limits;  // at most max_limits
  std::uint32_t cost = 1;               // 0 to max_cost

  CounterId counter(const ActiveLimit& limit) const { return {limit.per_user ? user : key, limit.counter}; }
};

/// What one limit said; in the order of Charge::limits.
struct Standing {
  std::uint32_t remaining = 0;
  std::uint32_t reset_seconds = 0;  // until `remaining` grows, rounded up; 0: nothing is used. A period: until its end
  bool refuses = false;             // this limit is one of those that refused the request
  bool would_limit = false;         // observed only, and enforced it would have refused
};

enum class Outcome : std::uint8_t {
  admitted,
  limited,             // 429
  cost_exceeds_limit,  // 403: it can never pass; `refuses` marks the limits
  full,                // 503: no room for one more counter
  unavailable,         // 503: what is needed to decide cannot be reached, or not in time
  not_enforced         // 503: this engine does not know a limit of this kind; `refuses` marks it
};

struct Verdict {
  Outcome outcome = Outcome::admitted;
  std::uint32_t retry_after_seconds = 0;  // limited: enough for this cost and all limits, ≥ 1; 503: 1
  std::size_t count = 0;
  std::array<Standing, max_limits> standings{};

  bool admitted() const { return outcome == Outcome::admitted; }
  std::span<const Standing> limits() const { return {standings.data(), count}; }
};

/// A charge that keeps its limits, for one that cannot be answered at once.
struct KeptCharge {
  explicit KeptCharge(const Charge& from) : charge(from), count(std::min(from.limits.size(), max_limits)) {
    std::ranges::copy(from.limits.first(count), limits.begin());
  }
  Charge view() const {
    Charge whole = charge;
    whole.limits = {limits.data(), count};
    return whole;
  }

 private:
  Charge charge;
  std::size_t count;
  std::array<ActiveLimit, max_limits> limits;
};

}  // namespace latchkey::limit
