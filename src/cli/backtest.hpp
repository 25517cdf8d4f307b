#pragma once

// What other limits would have refused: a request log, decided again by the limiter itself.
//
//   a key with 100 a minute asked 130 times within a minute: 30 refused
//   → backtest of 120/1m: 10 refused; of 100/1m: the same 30
//
// Only requests that came as far as the limiter are looked at: admitted, or refused by a limit. The limiter is the one
// of the replica, on the clock that the log has (`clockMillis`); so the limit that was in force refuses what it refused,
// where one replica served, and its log has no line missing.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "key/key_id.hpp"
#include "key/limit_spec.hpp"
#include "limit/rate_limiter.hpp"

namespace latchkey::cli {

struct LoggedRequest {
  UnixMillis time;
  std::int64_t clock_ms = 0;  // of the replica's boot
  KeyId key;
  std::string user_id, plan;
  std::uint32_t cost = 1;
  bool refused = false;
  std::string method, path;
};

/// nullopt: no line of a request that came to the limiter.
std::optional<LoggedRequest> read_logged(std::string_view line);

/// "100/1m,5000/1d": so many within each window, all of them at once.
Result<LimitList> parse_limit_list(std::string_view text, LimitPer per);

struct BacktestDay {
  std::uint64_t requests = 0;
  std::uint64_t refused = 0;         // by these limits
  std::uint64_t refused_in_log = 0;  // by those that were in force
};

struct Backtest {
  std::map<std::string, BacktestDay> days;  // by date, UTC
  std::vector<std::size_t> refused;         // which of the requests, in their order
};

/// A new limiter by this clock, which outlives it.
using MakeLimiter = std::function<std::unique_ptr<limit::RateLimiter>(const Clock&)>;

/// Sorts the requests by time.
Backtest replay(std::vector<LoggedRequest>& requests, const LimitList& limits, const MakeLimiter& make_limiter);

}  // namespace latchkey::cli
