#pragma once

// One named bound on requests, as a plan, a user or a key defines it. Two kinds, one list:
//
//   {"name":"per-minute","requests":60,"window":"60s","per":"key","mode":"enforce"}
//   {"name":"monthly","requests":10000,"period":"month","timeZone":"Europe/Berlin","anchorDay":1,"per":"user",
//    "mode":"observe"}
//
// A window slides: in no interval of that length are more than `requests` units admitted. A period is a budget that
// begins anew at each boundary of the calendar in its time zone.

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"

namespace latchkey {

constexpr std::int64_t min_limit_requests = 1;
constexpr std::int64_t max_limit_requests = 1'000'000'000;
constexpr std::int64_t min_window_seconds = 1;
constexpr std::int64_t max_window_seconds = 24 * 60 * 60;
constexpr std::size_t max_limit_name_bytes = 32;
constexpr std::size_t max_time_zone_bytes = 64;
/// Of one plan, user or key, and of all that are in force for a key.
constexpr std::size_t max_limits = 8;
/// No list of limits in to_json()'s form is longer.
constexpr std::size_t max_limits_bytes = 2048;
/// What is read of a text: somebody may have put white space into a database.
constexpr std::size_t max_limits_text_bytes = 4096;

/// `user`: all keys of the user share one count.
enum class LimitPer : std::uint8_t { key, user };
/// `observe`: counted and shown, in no header and no refusal.
enum class LimitMode : std::uint8_t { enforce, observe };
enum class PeriodUnit : std::uint8_t { day, week, month };

/// 1 s to 24 h.
struct LimitWindow {
  std::uint32_t seconds = 60;
  auto operator<=>(const LimitWindow&) const = default;
};

struct LimitPeriod {
  PeriodUnit unit = PeriodUnit::month;
  std::string time_zone = "UTC";  // an IANA name; whether the machine knows it is asked elsewhere
  /// The day on which it begins: 1 to 31 of a month (clamped anew to each month's last), 1 (Monday) to 7 of a week; 1
  /// for a day, where it says nothing.
  std::uint8_t anchor_day = 1;
  auto operator<=>(const LimitPeriod&) const = default;
};

struct LimitSpec {
  std::string name;  // [a-z0-9-]{1,32}
  std::uint32_t requests = 1;
  std::variant<LimitWindow, LimitPeriod> span;
  LimitPer per = LimitPer::key;
  LimitMode mode = LimitMode::enforce;
  bool operator==(const LimitSpec&) const = default;
};

/// Names differ within a list.
using LimitList = std::vector<LimitSpec>;

std::string_view to_string(LimitPer per);
std::string_view to_string(LimitMode mode);
std::string_view to_string(PeriodUnit unit);

/// Whether a count of `before` goes on under `after`, which has its name: only `requests` or `mode` differ.
bool keeps_count(const LimitSpec& before, const LimitSpec& after);

/// The name and window that `requestsPerMinute` is short for.
constexpr std::string_view per_minute_name = "per-minute";
constexpr std::uint32_t per_minute_seconds = 60;
LimitSpec per_minute_limit(std::uint32_t requests_per_minute);
/// The number that says the same as `limit`; nullopt: none does.
std::optional<std::uint32_t> as_requests_per_minute(const LimitSpec& limit);

/// [a-z0-9-]{1,32}; the name of a limit, and of a plan.
bool is_plain_name(std::string_view name);

/// "90s", "15m", "24h": the largest unit that says it exactly, but seconds below two minutes.
std::string window_text(LimitWindow window);

/// Reads a JSON array of at most max_limits limits. ErrorCode::invalid names everything that is wrong, at pointers
/// below `pointer` ("/limits/0/window").
Result<LimitList> read_limits(const json::value& array, std::string_view pointer);
/// The same of a text, as a database has it.
Result<LimitList> parse_limits(std::string_view text);

/// Compact, all members present, in the order above: the one text of a list.
std::string to_json(const LimitSpec& limit);
std::string to_json(std::span<const LimitSpec> limits);

}  // namespace latchkey
