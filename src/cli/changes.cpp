#include <fmt/format.h>

#include <array>
#include <memory>

#include "base/clock.hpp"
#include "base/time_text.hpp"
#include "cli/csv.hpp"
#include "cli/exact_json.hpp"
#include "cli/key_commands.hpp"
#include "cli/terminal_text.hpp"
#include "cli/whole_number.hpp"

namespace latchkey::cli {
namespace {

struct ChangesOptions {
  std::string after, key, user, actor, since, until;
  std::string form = "table";
  unsigned limit = 0;  // the service's own
  bool oldest_first = false;
  bool follow = false;
};

constexpr std::array change_columns{
    Column{"POSITION", "position"}, Column{"AT", "at"},        Column{"ACTOR", "actor"},  Column{"ACTION", "action"},
    Column{"SUBJECT", "subject"},   Column{"CHANGED", "what"}, Column{"REASON", "reason"}};
constexpr std::array csv_columns{"position",  "at",           "actor",      "action",
                                 "subject",   "what",         "reason",     "remoteAddress",
                                 "userAgent", "databaseRole", "application"};

/// {"requestsPerMinute":{"before":60,"after":5}} as "requestsPerMinute 60 -> 5".
std::string changed_in_words(const json::value& changed) {
  std::string words;
  if (!changed.is_object()) return words;
  for (const auto& member : changed.as_object()) {
    const auto* step = member.value().if_object();
    if (step == nullptr || !step->contains("before") || !step->contains("after")) continue;
    words += fmt::format("{}{} {} -> {}", words.empty() ? "" : "; ", std::string_view(member.key()),
                         serialize_exactly(step->at("before")), serialize_exactly(step->at("after")));
  }
  return words;
}

/// The change with the id it is about, and what changed, beside its other members.
json::value with_words(json::value change) {
  auto* object = change.if_object();
  if (object == nullptr) return change;
  for (const auto& [part, id] :
       {std::pair{"key", "keyId"}, {"signingKey", "kid"}, {"plan", "name"}, {"user", "userId"}}) {
    const auto* row = object->if_contains(part);
    if (row == nullptr || !row->is_object() || !row->as_object().contains(id)) continue;
    json::value subject = row->as_object().at(id);
    (*object)["subject"] = std::move(subject);
  }
  if (const auto* changed = object->if_contains("changed")) {
    if (std::string words = changed_in_words(*changed); !words.empty()) (*object)["what"] = std::move(words);
  }
  return change;
}

void print_position(const json::value& change) {
  const auto* object = change.if_object();
  const auto* position = object == nullptr ? nullptr : object->if_contains("position");
  if (position != nullptr) fmt::print("{}\n", render_value(*position));
}

void print_csv(const json::array& changes) {
  fmt::print("{}\n", fmt::join(csv_columns, ","));
  for (const auto& change : changes) {
    const json::value row = with_words(change);
    std::string line;
    for (const char* name : csv_columns) {
      const auto* value = row.is_object() ? row.as_object().if_contains(name) : nullptr;
      const bool text = value != nullptr && value->is_string();
      line += (name == csv_columns.front() ? "" : ",") + (text ? csv_field(value->as_string()) : std::string());
    }
    fmt::print("{}\n", line);
  }
}

void show_page(const Invocation& invocation, const ChangesOptions& options, const json::value& body) {
  const auto* object = body.if_object();
  const auto* changes = object == nullptr ? nullptr : object->if_contains("changes");
  const bool listed = changes != nullptr && changes->is_array();
  if (invocation.quiet && listed) {
    for (const auto& change : changes->as_array()) print_position(change);
    return;
  }
  if (options.form == "json") return print_json(body);
  if (!listed) return;
  if (options.form == "csv") return print_csv(changes->as_array());
  json::array rows;
  for (const auto& change : changes->as_array()) rows.push_back(with_words(change));
  fmt::print("{}", render_table(rows, change_columns));
}

std::string position_in(const json::value& body, std::string_view member) {
  const auto* object = body.if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains(member);
  return found != nullptr && found->is_string() ? escape_for_terminal(found->as_string()) : "";
}

void tell_of_more(const json::value& body, bool oldest_first) {
  const auto* object = body.if_object();
  const auto* more = object == nullptr ? nullptr : object->if_contains("more");
  if (more == nullptr || !more->is_bool() || !more->as_bool()) return;
  fmt::print(stderr, "There are {} ones: --after {} shows what follows, --limit 1000 more of it.\n",
             oldest_first ? "newer" : "older", position_in(body, "nextAfter"));
}

/// Lines of an event stream (HTML, 9.2): `data:` is a change, all else keeps the connection alive.
class EventLines {
 public:
  explicit EventLines(const Invocation& invocation) : invocation_(invocation) {}

  bool take(std::string_view piece) {
    constexpr std::size_t longest_line = 1U << 20U;
    pending_ += piece;
    for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
      show(std::string_view(pending_).substr(0, end));
      pending_.erase(0, end + 1);
    }
    return pending_.size() <= longest_line && std::fflush(stdout) == 0;
  }

 private:
  void show(std::string_view line) const {
    if (!line.starts_with("data:")) return;
    const auto change = parse_exactly(line.substr(5));
    if (!change) return;
    if (invocation_.quiet) return print_position(*change);
    if (invocation_.output == Output::json) return print_json(*change);
    const auto row = with_words(*change);
    if (!row.is_object()) return;
    std::string text;
    for (const auto& column : change_columns) {
      const auto* value = row.as_object().if_contains(column.member);
      text += (text.empty() ? "" : "  ") + (value == nullptr ? std::string("-") : render_value(*value));
    }
    fmt::print("{}\n", text);
  }

  const Invocation& invocation_;
  std::string pending_;
};

int follow_changes(const Invocation& invocation, const std::string& path) {
  return as_admin(invocation, [&](const ServiceAddress& service, const Secret& token) -> int {
    EventLines lines(invocation);
    const auto reply = http_client::follow({"GET",
                                            http_client::target_at(service.url, path),
                                            token,
                                            {"Accept: text/event-stream"},
                                            {},
                                            service.certificate},
                                           [&](std::string_view piece) { return lines.take(piece); });
    if (!reply) return complain(reply.error());
    if (reply->status != 200) return complain(*reply);
    return exit_done;
  });
}

/// "7d": so long ago; else an RFC 3339 time. Empty stays so.
Result<std::string> moment_of(std::string_view option, const std::string& text, UnixMillis now) {
  if (text.empty()) return text;
  if (const auto ago = parse_duration(text)) return to_rfc3339({now.count - ago->count() * 1000});
  if (const auto time = parse_rfc3339(text)) return to_rfc3339(*time);
  return Error(ErrorCode::invalid,
               fmt::format("{} {}: give a time such as 2027-01-31T12:00:00Z, or how long ago: 90s, 12h, 7d", option,
                           escape_for_terminal(text)));
}

int changes(const Invocation& invocation, const ChangesOptions& options) {
  const bool filters = !options.key.empty() || !options.user.empty() || !options.actor.empty() ||
                       !options.since.empty() || !options.until.empty() || options.oldest_first;
  if (options.follow && filters) {
    return complain(Error(ErrorCode::invalid, "--follow shows every change: leave out the filters and --oldest-first"));
  }
  const UnixMillis now = SystemClock().wall();
  const auto since = moment_of("--since", options.since, now);
  if (!since) return complain(since.error());
  const auto until = moment_of("--until", options.until, now);
  if (!until) return complain(until.error());
  std::string path = "/v1/changes";
  char separator = '?';
  const auto add = [&](std::string_view name, const std::string& value) {
    path += fmt::format("{}{}={}", std::exchange(separator, '&'), name, http_client::url_escape(value));
  };
  if (!options.after.empty()) add("after", options.after);
  if (options.limit != 0) add("limit", std::to_string(options.limit));
  if (options.follow) return follow_changes(invocation, path);
  // A position alone is what comes after it, as with --follow.
  const bool oldest_first = options.oldest_first || (!filters && !options.after.empty());
  if (!oldest_first) add("order", "desc");
  for (const auto& [name, value] : {std::pair<std::string_view, const std::string&>{"keyId", options.key},
                                    {"userId", options.user},
                                    {"actor", options.actor},
                                    {"since", *since},
                                    {"until", *until}}) {
    if (!value.empty()) add(name, value);
  }
  return call_as_admin(invocation, {"GET", path, std::nullopt, {}}, [&](const json::value& body) {
    show_page(invocation, options, body);
    tell_of_more(body, oldest_first);
  });
}

}  // namespace

void add_changes(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("changes", "The audit trail: who changed what, when");
  command->footer(
      "latchkey changes --user alice --since 7d\nlatchkey changes --actor ops --limit 1000 -o csv\n"
      "latchkey changes --follow -o json");
  const auto options = std::make_shared<ChangesOptions>();
  command->add_option("--key", options->key, "Of this access key only")->type_name("ID");
  command->add_option("--user", options->user, "Of this user and the user's keys only")->type_name("ID");
  command->add_option("--actor", options->actor, "By this actor only, \"unknown\" for edits by hand")
      ->type_name("NAME");
  command->add_option("--since", options->since, "Not before: a time, or how long ago (7d)")->type_name("TIME");
  command->add_option("--until", options->until, "Before: a time, or how long ago")->type_name("TIME");
  command->add_flag("--oldest-first", options->oldest_first, "In the order in which they were made");
  command
      ->add_option("--after", options->after,
                   "Go on behind this position; without a filter: what came after it, the oldest first")
      ->type_name("POSITION");
  command->add_option("--limit", options->limit, "At most so many (100)")
      ->check(whole_number())
      ->check(CLI::Range(1U, 1000U))
      ->type_name("N");
  command->add_flag("-f,--follow", options->follow, "Go on with each change as it happens");
  add_client_flags(*command, invocation);
  command->remove_option(command->get_option("--output"));
  command
      ->add_option_function<std::string>(
          "-o,--output",
          [&invocation, options](const std::string& form) {
            options->form = form;
            if (form == "json") invocation.output = Output::json;
          },
          "table, json (the API's own) or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->type_name("FORMAT");
  command->callback([&invocation, options] {
    invocation.command = [&invocation, options] { return changes(invocation, *options); };
  });
}

}  // namespace latchkey::cli
