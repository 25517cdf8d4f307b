#include "key/limit_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/time_text.hpp"
#include "key/access_key.hpp"

namespace latchkey {
namespace {

constexpr std::array<std::string_view, 2> per_names = {"key", "user"};
constexpr std::array<std::string_view, 2> mode_names = {"enforce", "observe"};
constexpr std::array<std::string_view, 3> unit_names = {"day", "week", "month"};
constexpr std::array<std::string_view, 8> member_names = {"name",     "requests",  "window", "period",
                                                          "timeZone", "anchorDay", "per",    "mode"};

bool is_zone_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
         c == '-' || c == '+';
}

/// The form of an IANA name, which is also a path below the zone files: no dot, so no way out of them.
bool is_zone_name(std::string_view name) {
  return !name.empty() && name.size() <= max_time_zone_bytes &&
         std::all_of(name.begin(), name.end(), is_zone_character) && name.front() != '/' && name.back() != '/' &&
         !name.contains("//");
}

/// A whole number in any spelling JSON has for it (60, 60.0, 6e1).
std::optional<std::int64_t> whole_number(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (!value.is_double()) return std::nullopt;
  const double number = value.get_double();
  if (std::floor(number) != number || std::abs(number) > 1e15) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

/// Reads one object and collects everything that is wrong with it.
class LimitReader {
 public:
  LimitReader(const json::object& object, std::string place, std::vector<FieldError>& errors)
      : object_(object), place_(std::move(place)), errors_(errors) {}

  LimitSpec read() {
    for (const auto& member : object_) {
      const std::string_view name = member.key();
      if (std::find(member_names.begin(), member_names.end(), name) == member_names.end()) {
        errors_.push_back({place_ + json_pointer_to(name), "is not a member of a limit"});
      }
    }
    LimitSpec limit;
    limit.name = read_name();
    limit.requests =
        static_cast<std::uint32_t>(number("requests", min_limit_requests, max_limit_requests, std::nullopt));
    read_span(limit);
    limit.per = static_cast<LimitPer>(choice("per", per_names, "must be \"key\" or \"user\""));
    limit.mode = static_cast<LimitMode>(choice("mode", mode_names, "must be \"enforce\" or \"observe\""));
    return limit;
  }

 private:
  const json::value* find(std::string_view name) const { return object_.if_contains(name); }
  void note(std::string_view name, std::string detail) {
    errors_.push_back({place_ + json_pointer_to(name), std::move(detail)});
  }

  std::string read_name() {
    const auto* value = find("name");
    if (value != nullptr && value->is_string() && is_plain_name(value->get_string())) {
      return std::string(value->get_string());
    }
    note("name", value == nullptr ? "is required" : "must be 1 to 32 characters of a-z, 0-9 and -");
    return {};
  }

  std::int64_t number(std::string_view name, std::int64_t least, std::int64_t most,
                      std::optional<std::int64_t> absent) {
    const auto* value = find(name);
    if (value == nullptr && absent) return *absent;
    const auto read = value == nullptr ? std::nullopt : whole_number(*value);
    if (read && *read >= least && *read <= most) return *read;
    note(name, value == nullptr ? "is required" : fmt::format("must be a whole number from {} to {}", least, most));
    return least;
  }

  std::size_t choice(std::string_view name, std::span<const std::string_view> names, const char* rule) {
    const auto* value = find(name);
    if (value == nullptr) return 0;
    const auto found =
        value->is_string() ? std::find(names.begin(), names.end(), std::string_view(value->get_string())) : names.end();
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    note(name, rule);
    return 0;
  }

  void read_span(LimitSpec& limit) {
    const bool window = object_.contains("window"), period = object_.contains("period");
    if (window == period) {
      note(window ? "period" : "window", window ? "must not come together with window" : "or period is required");
      return;
    }
    if (period) {
      limit.span = read_period();
    } else {
      limit.span = read_window();
    }
  }

  LimitWindow read_window() {
    for (const auto* name : {"timeZone", "anchorDay"}) {
      if (object_.contains(name)) note(name, "is for a period only");
    }
    const auto* value = find("window");
    const auto duration = value->is_string() ? parse_duration(value->get_string()) : std::nullopt;
    if (duration && duration->count() >= min_window_seconds && duration->count() <= max_window_seconds) {
      return {static_cast<std::uint32_t>(duration->count())};
    }
    note("window", R"(must be a duration from "1s" to "24h", such as "60s" or "15m")");
    return {};
  }

  LimitPeriod read_period() {
    LimitPeriod period;
    period.unit = static_cast<PeriodUnit>(choice("period", unit_names, R"(must be "day", "week" or "month")"));
    if (const auto* zone = find("timeZone")) {
      if (zone->is_string() && is_zone_name(zone->get_string())) {
        period.time_zone = zone->get_string();
      } else {
        note("timeZone", R"(must be an IANA time zone such as "Europe/Berlin")");
      }
    }
    if (period.unit == PeriodUnit::day) {
      if (object_.contains("anchorDay")) note("anchorDay", "is for a week or a month only");
    } else {
      period.anchor_day =
          static_cast<std::uint8_t>(number("anchorDay", 1, period.unit == PeriodUnit::week ? 7 : 31, 1));
    }
    return period;
  }

  const json::object& object_;
  const std::string place_;
  std::vector<FieldError>& errors_;
};

void note_repetition(const LimitList& limits, const std::string& place, std::vector<FieldError>& errors) {
  const auto& last = limits.back();
  const auto same = [&](const LimitSpec& other) { return !last.name.empty() && other.name == last.name; };
  if (std::any_of(limits.begin(), limits.end() - 1, same)) {
    errors.push_back({place + "/name", "must differ from the names of the other limits"});
  }
}

std::string span_json(const LimitSpec& limit) {
  if (const auto* window = std::get_if<LimitWindow>(&limit.span)) {
    return fmt::format(R"("window":"{}")", window_text(*window));
  }
  const auto& period = std::get<LimitPeriod>(limit.span);
  std::string out = fmt::format(R"("period":"{}","timeZone":"{}")", to_string(period.unit), period.time_zone);
  if (period.unit != PeriodUnit::day) out += fmt::format(R"(,"anchorDay":{})", period.anchor_day);
  return out;
}

}  // namespace

std::string_view to_string(LimitPer per) { return per_names[static_cast<std::size_t>(per)]; }
std::string_view to_string(LimitMode mode) { return mode_names[static_cast<std::size_t>(mode)]; }
std::string_view to_string(PeriodUnit unit) { return unit_names[static_cast<std::size_t>(unit)]; }

bool keeps_count(const LimitSpec& before, const LimitSpec& after) {
  return before.name == after.name && before.span == after.span && before.per == after.per;
}

LimitSpec per_minute_limit(std::uint32_t requests_per_minute) {
  return {std::string(per_minute_name), requests_per_minute, LimitWindow{per_minute_seconds}, LimitPer::key,
          LimitMode::enforce};
}

std::optional<std::uint32_t> as_requests_per_minute(const LimitSpec& limit) {
  if (limit.requests > max_requests_per_minute || limit != per_minute_limit(limit.requests)) return std::nullopt;
  return limit.requests;
}

bool is_plain_name(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= max_limit_name_bytes && std::all_of(name.begin(), name.end(), plain);
}

std::string window_text(LimitWindow window) {
  if (window.seconds % 3600 == 0) return fmt::format("{}h", window.seconds / 3600);
  if (window.seconds >= 120 && window.seconds % 60 == 0) return fmt::format("{}m", window.seconds / 60);
  return fmt::format("{}s", window.seconds);
}

Result<LimitList> read_limits(const json::value& array, std::string_view pointer) {
  if (!array.is_array()) return Error::invalid(std::string(pointer), "must be an array of limits");
  const auto& values = array.get_array();
  if (values.size() > max_limits) {
    return Error::invalid(std::string(pointer), fmt::format("must have at most {} limits", max_limits));
  }
  LimitList limits;
  std::vector<FieldError> errors;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string place = fmt::format("{}/{}", pointer, i);
    if (!values[i].is_object()) {
      errors.push_back({place, "must be a JSON object"});
      continue;
    }
    limits.push_back(LimitReader(values[i].get_object(), place, errors).read());
    note_repetition(limits, place, errors);
  }
  if (errors.empty()) return limits;
  Error error(ErrorCode::invalid, "The request breaks one or more rules; see errors.");
  error.fields = std::move(errors);
  return error;
}

Result<LimitList> parse_limits(std::string_view text) {
  if (text.size() > max_limits_text_bytes) return Error::invalid("", "is too long for a list of limits");
  const auto value = parse_json(text);
  if (!value) return value.error();
  return read_limits(*value, "");
}

std::string to_json(const LimitSpec& limit) {
  return fmt::format(R"({{"name":"{}","requests":{},{},"per":"{}","mode":"{}"}})", limit.name, limit.requests,
                     span_json(limit), to_string(limit.per), to_string(limit.mode));
}

std::string to_json(std::span<const LimitSpec> limits) {
  std::string out = "[";
  for (const auto& limit : limits) {
    if (out.size() > 1) out += ',';
    out += to_json(limit);
  }
  return out + ']';
}

}  // namespace latchkey
