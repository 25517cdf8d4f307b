// `latchkey backtest`: what other limits would have refused, by a request log.

#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "base/json_writer.hpp"
#include "base/regular_file.hpp"
#include "base/time_text.hpp"
#include "cli/backtest.hpp"
#include "cli/invocation.hpp"
#include "cli/terminal_text.hpp"
#include "data_dir/data_dir.hpp"

namespace latchkey::cli {
namespace {

constexpr std::size_t first_shown = 10;

struct BacktestOptions {
  std::string key, user, plan, limit, last = "7d", log;
  bool per_user = false;
};

bool is_asked_for(const LoggedRequest& request, const BacktestOptions& options, UnixMillis since) {
  if (request.time < since) return false;
  if (!options.key.empty()) return request.key.to_string() == options.key;
  return options.user.empty() ? request.plan == options.plan : request.user_id == options.user;
}

/// The log and those that were rotated away, the oldest first.
std::vector<std::string> logs_at(const std::string& newest) {
  std::vector<std::string> files{newest};
  std::error_code none;
  for (int i = 1; std::filesystem::exists(newest + "." + std::to_string(i), none); ++i) {
    files.insert(files.begin(), newest + "." + std::to_string(i));
  }
  return files;
}

Result<std::vector<LoggedRequest>> read_logs(const std::string& newest, const BacktestOptions& options,
                                             UnixMillis since) {
  std::vector<LoggedRequest> requests;
  for (const std::string& file : logs_at(newest)) {
    if (const auto regular = check_regular(file, Links::follow); !regular) return regular.error();
    std::ifstream log(file);
    if (!log) return Error(ErrorCode::not_found, "cannot read the log " + file);
    for (std::string line; std::getline(log, line);) {
      auto request = read_logged(line);
      if (request && is_asked_for(*request, options, since)) requests.push_back(std::move(*request));
    }
  }
  return requests;
}

void print_backtest_json(const Backtest& test, const std::vector<LoggedRequest>& requests) {
  JsonWriter out;
  out.begin_object().name("days").begin_array();
  for (const auto& [date, day] : test.days) {
    out.begin_object().member("date", date).member("requests", day.requests).member("refused", day.refused);
    out.member("refusedInLog", day.refused_in_log).end_object();
  }
  out.end_array().name("firstRefused").begin_array();
  for (std::size_t i = 0; i < std::min(test.refused.size(), first_shown); ++i) {
    const LoggedRequest& request = requests[test.refused[i]];
    out.begin_object().member("time", request.time).member("keyId", request.key.to_string());
    out.member("method", request.method).member("path", request.path).end_object();
  }
  fmt::print("{}\n", out.end_array().end_object().take());
}

void print_backtest_table(const Backtest& test, const std::vector<LoggedRequest>& requests) {
  fmt::print("{:<10}  {:>10}  {:>10}  {:>14}\n", "DAY", "REQUESTS", "REFUSED", "REFUSED IN LOG");
  for (const auto& [date, day] : test.days) {
    fmt::print("{:<10}  {:>10}  {:>10}  {:>14}\n", date, day.requests, day.refused, day.refused_in_log);
  }
  if (!test.refused.empty()) fmt::print("\nThe first that would have been refused:\n");
  for (std::size_t i = 0; i < std::min(test.refused.size(), first_shown); ++i) {
    const LoggedRequest& request = requests[test.refused[i]];
    fmt::print("{}  {}  {} {}\n", to_rfc3339(request.time), request.key.to_string(),
               escape_for_terminal(request.method), escape_for_terminal(request.path));
  }
}

int backtest(const Invocation& invocation, const BacktestOptions& options) {
  const int named = int{!options.key.empty()} + int{!options.user.empty()} + int{!options.plan.empty()};
  if (named != 1) return complain(Error(ErrorCode::invalid, "give one of --key, --user and --plan"));
  const auto limits = parse_limit_list(options.limit, options.per_user ? LimitPer::user : LimitPer::key);
  if (!limits) return complain(limits.error());
  const auto last = parse_duration(options.last);
  if (!last) return complain(Error(ErrorCode::invalid, "--last: " + not_a_duration(options.last, longest_duration)));
  std::string log = options.log;
  if (log.empty()) {
    const auto resolved = invocation.settings();
    if (!resolved) return complain(resolved.error());
    log = data_dir::DataDir::at(resolved->settings.data_dir).request_log().string();
  }
  auto requests = read_logs(log, options, {SystemClock().wall().count - last->count() * 1000});
  if (!requests) return complain(requests.error());
  const Backtest test = replay(*requests, *limits, invocation.programs.limiter);
  invocation.output == Output::json ? print_backtest_json(test, *requests) : print_backtest_table(test, *requests);
  return exit_done;
}

}  // namespace

void add_backtest(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("backtest", "What other limits would have refused, by the request log");
  command->footer(
      "latchkey backtest --plan pro --limit 100/1m,5000/1d\n"
      "latchkey backtest --key ID --limit 30/10s --last 24h --log /var/log/latchkey/requests.jsonl");
  const auto options = std::make_shared<BacktestOptions>();
  command->add_option("--key", options->key, "Requests with this access key")->type_name("ID");
  command->add_option("--user", options->user, "Requests of this user")->type_name("ID");
  command->add_option("--plan", options->plan, "Requests under this plan")->type_name("NAME");
  command->add_option("--limit", options->limit, "So many requests within so long, several with commas")
      ->required()
      ->type_name("N/WINDOW");
  command->add_flag("--per-user", options->per_user, "All keys of a user share the limit");
  command->add_option("--last", options->last, "How far back (7d)")->type_name("DURATION");
  command
      ->add_option("--log", options->log, "A request log, with what was rotated beside it; else the data directory's")
      ->type_name("FILE");
  add_output_flags(*command, invocation);
  command->callback([&invocation, options] {
    invocation.command = [&invocation, options] { return backtest(invocation, *options); };
  });
}

}  // namespace latchkey::cli
