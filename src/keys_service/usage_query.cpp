#include "keys_service/usage_query.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.hpp"
#include "base/time_text.hpp"
#include "key/limit_spec.hpp"
#include "key/user.hpp"
#include "service/query_reader.hpp"

namespace latchkey::keys_service {
namespace {

using usage::GroupBy;
using usage::Resolution;

constexpr std::array<std::string_view, 5> group_names{"", "key", "user", "plan", "outcome"};

std::int64_t floor_to(std::int64_t time, std::int64_t step) { return time / step * step; }
std::int64_t ceiling_to(std::int64_t time, std::int64_t step) { return (time + step - 1) / step * step; }

std::int64_t points_of(UnixMillis from, UnixMillis to, Resolution resolution) {
  const std::int64_t step = millis_of(resolution);
  return (ceiling_to(to.count, step) - floor_to(from.count, step)) / step;
}

std::optional<UnixMillis> time_in(service::QueryReader& reader, std::string_view name) {
  const auto text = reader.text(name);
  if (!text) return std::nullopt;
  const auto time = parse_rfc3339(*text);
  if (!time) reader.note(name, "must be a time such as 2027-01-31T12:00:00Z");
  return time;
}

Resolution finest_for(UnixMillis from, UnixMillis to) {
  for (const auto resolution : usage::resolutions) {
    if (points_of(from, to, resolution) <= usage::most_points) return resolution;
  }
  return Resolution::day;
}

void read_resolution(service::QueryReader& reader, usage::Query& query) {
  query.resolution = finest_for(query.from, query.to);
  if (const auto text = reader.text("resolution")) {
    const auto found = std::ranges::find(usage::resolutions, *text, [](Resolution r) { return to_string(r); });
    if (found == usage::resolutions.end()) return reader.note("resolution", "must be minute, hour or day");
    query.resolution = *found;
  }
  const std::int64_t points = points_of(query.from, query.to, query.resolution);
  if (points > usage::most_points) {
    reader.note("resolution", fmt::format("makes {} points, and a series has {} at most: ask for less time, or coarser",
                                          points, usage::most_points));
  }
}

void read_times(service::QueryReader& reader, usage::Query& query, UnixMillis now) {
  query.to = time_in(reader, "to").value_or(now);
  query.from = time_in(reader, "from").value_or(query.to + -std::chrono::hours(24));
  query.from.count = std::max<std::int64_t>(query.from.count, 0);
  if (query.from >= query.to) reader.note("from", "must be before to");
  read_resolution(reader, query);
  const std::int64_t step = millis_of(query.resolution);
  query.from.count = floor_to(query.from.count, step);
  query.to.count = ceiling_to(query.to.count, step);
}

void read_subject(service::QueryReader& reader, usage::Query& query) {
  const auto key = reader.text("keyId");
  query.user = reader.text("userId");
  query.plan = reader.text("plan");
  if (key) query.key = KeyId::parse(*key);
  if (key && !query.key) reader.note("keyId", "must be a key id");
  if (int{key.has_value()} + int{query.user.has_value()} + int{query.plan.has_value()} > 1) {
    reader.note("keyId", "is given with userId or plan: name one of the three");
  }
}

void read_grouping(service::QueryReader& reader, usage::Query& query) {
  if (const auto by = reader.text("groupBy")) {
    const auto found = by->empty() ? group_names.end() : std::ranges::find(group_names, *by);
    if (found == group_names.end()) return reader.note("groupBy", "must be key, user, plan or outcome");
    query.group_by = static_cast<GroupBy>(found - group_names.begin());
  }
  const std::size_t top = reader.number("top", 1, usage::most_series, 0);
  if (top == 0) return;
  query.top = top;
  if (query.group_by == GroupBy::nothing) reader.note("top", "needs groupBy");
}

void write_members(JsonWriter& out, const usage::Counts& counts) {
  out.member("admitted", counts.admitted)
      .member("limited", counts.limited)
      .member("wouldLimit", counts.would_limit)
      .name("refused")
      .begin_object();
  for (const auto& [reason, count] : counts.refused) out.member(reason, count);
  out.end_object().member("cost", counts.cost);
}

void write(JsonWriter& out, const usage::Series& series) {
  out.begin_object().member("group", series.group).name("points").begin_array();
  for (const auto& [time, counts] : series.points) {
    write_members(out.begin_object().member("time", time), counts);
    out.end_object();
  }
  out.end_array().end_object();
}

}  // namespace

Result<usage::Query> parse_usage_query(std::string_view query, UsageOf scope, UnixMillis now) {
  service::QueryReader reader(query);
  usage::Query parsed;
  read_times(reader, parsed, now);
  if (scope == UsageOf::anyone) {
    read_subject(reader, parsed);
    read_grouping(reader, parsed);
  }
  if (const auto finished = reader.finish(); !finished) return finished.error();
  return parsed;
}

std::string to_json(const usage::Answer& answer) {
  JsonWriter out;
  out.begin_object()
      .member("from", answer.query.from)
      .member("to", answer.query.to)
      .member("resolution", to_string(answer.query.resolution))
      .member("resolutionKept", to_string(answer.kept))
      .member("completeUntil", answer.complete_until)
      .name("series")
      .begin_array();
  for (const auto& series : answer.series) write(out, series);
  write_members(out.end_array().name("total").begin_object(), answer.total);
  return out.end_object().end_object().take();
}

}  // namespace latchkey::keys_service
