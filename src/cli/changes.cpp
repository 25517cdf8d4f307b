#include <fmt/format.h>

#include <array>
#include <memory>

#include "cli/exact_json.hpp"
#include "cli/key_commands.hpp"
#include "cli/terminal_text.hpp"
#include "cli/whole_number.hpp"

namespace latchkey::cli {
namespace {

struct ChangesOptions {
  std::string after;
  unsigned limit = 0;  // the service's own
  bool follow = false;
};

constexpr std::array change_columns{Column{"POSITION", "position"}, Column{"AT", "at"}, Column{"ACTOR", "actor"},
                                    Column{"ACTION", "action"}, Column{"SUBJECT", "subject"}};

/// The change with the id it is about beside its other members.
json::value with_subject(json::value change) {
  auto* object = change.if_object();
  if (object == nullptr) return change;
  for (const auto& [part, id] : {std::pair{"key", "keyId"}, std::pair{"signingKey", "kid"}}) {
    const auto* row = object->if_contains(part);
    if (row == nullptr || !row->is_object() || !row->as_object().contains(id)) continue;
    json::value subject = row->as_object().at(id);
    (*object)["subject"] = std::move(subject);
  }
  return change;
}

void print_position(const json::value& change) {
  const auto* object = change.if_object();
  const auto* position = object == nullptr ? nullptr : object->if_contains("position");
  if (position != nullptr) fmt::print("{}\n", render_value(*position));
}

void show_page(const Invocation& invocation, const json::value& body) {
  const auto* object = body.if_object();
  const auto* changes = object == nullptr ? nullptr : object->if_contains("changes");
  const bool listed = changes != nullptr && changes->is_array();
  if (invocation.quiet && listed) {
    for (const auto& change : changes->as_array()) print_position(change);
    return;
  }
  if (invocation.output == Output::json) return print_json(body);
  if (!listed) return;
  json::array rows;
  for (const auto& change : changes->as_array()) rows.push_back(with_subject(change));
  fmt::print("{}", render_table(rows, change_columns));
}

std::string position_in(const json::value& body, std::string_view member) {
  const auto* object = body.if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains(member);
  return found != nullptr && found->is_string() ? escape_for_terminal(found->as_string()) : "";
}

/// The page is the oldest one, which is hardly what was asked for where there are thousands.
void tell_of_more(const json::value& body) {
  const auto next = position_in(body, "nextAfter");
  if (next.empty() || next == position_in(body, "position")) return;
  fmt::print(stderr, "There are newer ones, up to {}: --after {} shows what follows, --limit 1000 more of it.\n",
             position_in(body, "position"), next);
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
    const auto row = with_subject(*change);
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

int changes(const Invocation& invocation, const ChangesOptions& options) {
  std::string path = "/v1/changes";
  char separator = '?';
  const auto add = [&](std::string_view name, const std::string& value) {
    path += fmt::format("{}{}={}", std::exchange(separator, '&'), name, http_client::url_escape(value));
  };
  if (!options.after.empty()) add("after", options.after);
  if (options.limit != 0) add("limit", std::to_string(options.limit));
  if (options.follow) return follow_changes(invocation, path);
  return call_as_admin(invocation, {"GET", path, std::nullopt, {}}, [&](const json::value& body) {
    show_page(invocation, body);
    tell_of_more(body);
  });
}

}  // namespace

void add_changes(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("changes", "The audit trail: who changed what, when");
  command->footer("latchkey changes\nlatchkey changes --follow -o json");
  const auto options = std::make_shared<ChangesOptions>();
  command->add_option("--after", options->after, "Only what came after this position")->type_name("POSITION");
  command->add_option("--limit", options->limit, "At most so many, the oldest first (100)")
      ->check(whole_number())
      ->check(CLI::Range(1U, 1000U))
      ->type_name("N");
  command->add_flag("-f,--follow", options->follow, "Go on with each change as it happens");
  add_client_flags(*command, invocation);
  command->callback([&invocation, options] {
    invocation.command = [&invocation, options] { return changes(invocation, *options); };
  });
}

}  // namespace latchkey::cli
