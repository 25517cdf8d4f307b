#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/time_text.hpp"
#include "cli/csv.hpp"
#include "cli/key_commands.hpp"
#include "cli/whole_number.hpp"

namespace latchkey::cli {
namespace {

enum class UsageForm : std::uint8_t { table, json, csv };

struct UsageOptions {
  std::string key, user, plan, last = "24h", group, form = "table";
  unsigned top = 20;
};

/// Steps of time in one line of a chart.
constexpr std::size_t spark_width = 24;

std::int64_t number_in(const json::object& counts, std::string_view name) {
  const auto* found = counts.if_contains(name);
  return found != nullptr && found->is_number() ? found->to_number<std::int64_t>() : 0;
}

std::int64_t refused_in(const json::object& counts) {
  std::int64_t sum = 0;
  const auto* refused = counts.if_contains("refused");
  if (refused == nullptr || !refused->is_object()) return 0;
  for (const auto& [reason, count] : refused->as_object()) {
    if (count.is_number()) sum += count.to_number<std::int64_t>();
  }
  return sum;
}

std::int64_t requests_in(const json::object& counts) {
  return number_in(counts, "admitted") + number_in(counts, "limited") + refused_in(counts);
}

const json::array& list_in(const json::object& object, std::string_view name) {
  static const json::array none;
  const auto* found = object.if_contains(name);
  return found != nullptr && found->is_array() ? found->as_array() : none;
}

std::string group_of(const json::object& series) {
  const auto* group = series.if_contains("group");
  return group == nullptr ? "-" : render_value(*group);
}

/// Requests over time as blocks of eight heights; an empty step is a space.
std::string sparkline(const json::object& series, UnixMillis from, UnixMillis to) {
  static constexpr std::array<std::string_view, 9> blocks{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::array<std::int64_t, spark_width> heights{};
  const std::int64_t span = std::max<std::int64_t>(to.count - from.count, 1);
  for (const auto& point : list_in(series, "points")) {
    const auto* object = point.if_object();
    const auto* text = object == nullptr ? nullptr : object->if_contains("time");
    const auto time = text != nullptr && text->is_string() ? parse_rfc3339(text->as_string()) : std::nullopt;
    if (!time || *time < from || *time >= to) continue;
    const auto place = static_cast<std::size_t>((time->count - from.count) * std::int64_t{spark_width} / span);
    heights[place] += requests_in(*object);
  }
  const std::int64_t highest = std::max<std::int64_t>(*std::ranges::max_element(heights), 1);
  std::string line;
  for (const auto height : heights) {
    line += blocks[static_cast<std::size_t>(height == 0 ? 0 : 1 + (height * 7) / highest)];
  }
  return line;
}

UnixMillis time_in(const json::object& answer, std::string_view name) {
  const auto* text = answer.if_contains(name);
  const auto time = text != nullptr && text->is_string() ? parse_rfc3339(text->as_string()) : std::nullopt;
  return time.value_or(UnixMillis{});
}

json::object row_of(std::string group, const json::object& counts) {
  return {{"group", std::move(group)},
          {"admitted", number_in(counts, "admitted")},
          {"limited", number_in(counts, "limited")},
          {"refused", refused_in(counts)},
          {"wouldLimit", number_in(counts, "wouldLimit")},
          {"cost", number_in(counts, "cost")}};
}

json::object sum_of(const json::object& series) {
  json::object sum;
  json::object refused;
  for (const auto& point : list_in(series, "points")) {
    if (!point.is_object()) continue;
    for (const std::string_view name : {"admitted", "limited", "wouldLimit", "cost"}) {
      sum[name] = number_in(sum, name) + number_in(point.as_object(), name);
    }
    refused["all"] = number_in(refused, "all") + refused_in(point.as_object());
  }
  sum["refused"] = std::move(refused);
  return sum;
}

void print_usage_table(const json::object& answer) {
  std::vector<Column> columns{{"GROUP", "group"},     {"ADMITTED", "admitted"},      {"LIMITED", "limited"},
                              {"REFUSED", "refused"}, {"WOULD LIMIT", "wouldLimit"}, {"COST", "cost"}};
  const bool chart = ::isatty(STDOUT_FILENO) == 1;
  if (chart) columns.push_back({"OVER TIME", "chart"});
  json::array rows;
  for (const auto& series : list_in(answer, "series")) {
    if (!series.is_object()) continue;
    json::object row = row_of(group_of(series.as_object()), sum_of(series.as_object()));
    if (chart) row["chart"] = sparkline(series.as_object(), time_in(answer, "from"), time_in(answer, "to"));
    rows.push_back(std::move(row));
  }
  const auto* total = answer.if_contains("total");
  if (total != nullptr && total->is_object()) rows.push_back(row_of("all", total->as_object()));
  fmt::print("{}", render_table(rows, columns));
  fmt::print(stderr, "From {} to {}, complete until {}.\n", to_rfc3339(time_in(answer, "from")),
             to_rfc3339(time_in(answer, "to")), to_rfc3339(time_in(answer, "completeUntil")));
}

void print_usage_csv(const json::object& answer) {
  fmt::print("time,group,admitted,limited,wouldLimit,refused,cost\n");
  for (const auto& series : list_in(answer, "series")) {
    if (!series.is_object()) continue;
    for (const auto& point : list_in(series.as_object(), "points")) {
      if (!point.is_object()) continue;
      const auto& counts = point.as_object();
      fmt::print("{},{},{},{},{},{},{}\n", to_rfc3339(time_in(counts, "time")), csv_field(group_of(series.as_object())),
                 number_in(counts, "admitted"), number_in(counts, "limited"), number_in(counts, "wouldLimit"),
                 refused_in(counts), number_in(counts, "cost"));
    }
  }
}

std::string usage_path(const UsageOptions& options) {
  const UnixMillis now = SystemClock().wall();
  const UnixMillis from = now + -parse_duration(options.last).value_or(std::chrono::hours(24));
  std::string path = fmt::format("/v1/usage?from={}&to={}", to_rfc3339(from), to_rfc3339(now));
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) path += fmt::format("&{}={}", name, http_client::url_escape(value));
  };
  add("keyId", options.key);
  add("userId", options.user);
  add("plan", options.plan);
  const bool narrowed = !options.key.empty() || !options.user.empty() || !options.plan.empty();
  const std::string group = options.group.empty() ? (narrowed ? "key" : "user") : options.group;
  add("groupBy", group);
  return path + fmt::format("&top={}", options.top);
}

int show_usage(const Invocation& invocation, const UsageOptions& options) {
  return call_as_admin(invocation, {"GET", usage_path(options), std::nullopt}, [&](const json::value& body) {
    if (options.form == "json") return print_json(body);
    if (!body.is_object()) return;
    options.form == "csv" ? print_usage_csv(body.as_object()) : print_usage_table(body.as_object());
  });
}

std::string check_duration(const std::string& text) { return parse_duration(text) ? "" : not_a_duration(text); }

}  // namespace

void add_usage(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("usage", "Requests by user, key, plan or outcome");
  command->footer("latchkey usage\nlatchkey usage --user alice --last 7d\nlatchkey usage --by plan --last 30d -o csv");
  const auto options = std::make_shared<UsageOptions>();
  auto* key = command->add_option("--key", options->key, "Of this key only")->type_name("ID");
  auto* user = command->add_option("--user", options->user, "Of this user's keys only")->type_name("ID");
  auto* plan = command->add_option("--plan", options->plan, "Of requests under this plan only")->type_name("NAME");
  key->excludes(user)->excludes(plan);
  user->excludes(plan);
  command->add_option("--last", options->last, "How far back (24h)")->check(check_duration)->type_name("DURATION");
  command->add_option("--by", options->group, "A line for each key, user, plan or outcome")
      ->check(CLI::IsMember({"key", "user", "plan", "outcome"}))
      ->type_name("GROUP");
  command->add_option("--top", options->top, "At most so many lines, those with most requests (20)")
      ->check(whole_number())
      ->check(CLI::Range(1U, 100U))
      ->type_name("N");
  add_location_flags(*command, invocation);
  add_token_flag(*command, invocation);
  command->add_option("-o,--output", options->form, "table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->type_name("FORM");
  command->callback([&invocation, options] {
    invocation.command = [&invocation, options] { return show_usage(invocation, *options); };
  });
}

}  // namespace latchkey::cli
