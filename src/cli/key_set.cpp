#include "cli/key_set.hpp"

#include <fmt/format.h>

#include <array>

#include "cli/enforcement.hpp"
#include "cli/key_commands.hpp"

namespace latchkey::cli {
namespace {

constexpr std::array sample_columns{Column{"KEY ID", "keyId"}, Column{"USER", "userId"}, Column{"NAME", "name"}};
constexpr auto longest_run = std::chrono::minutes(10);  // at the service; a set may be a million keys

ApiCall set_call(std::string_view verb, const KeyChoice& choice) {
  json::object body;
  if (!choice.selector.empty()) body["selector"] = choice.selector;
  if (!choice.user.empty()) body["userId"] = choice.user;
  ApiCall call{"POST", fmt::format("/v1/keys:{}", verb), std::move(body), {}};
  call.timeout = longest_run;
  return call;
}

std::string shown_member(const json::value& body, std::string_view name) {
  const auto* object = body.if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains(name);
  return found == nullptr ? "" : render_value(*found);
}

void show_preview(const Invocation& invocation, const json::value& preview) {
  if (invocation.output == Output::json) return print_json(preview);
  if (invocation.quiet) return fmt::print("{}\n", shown_member(preview, "matched"));
  const auto* sample = preview.as_object().if_contains("sample");
  if (sample == nullptr || !sample->is_array()) return;
  fmt::print("{}", render_table(sample->as_array(), sample_columns));
  fmt::print(stderr, "{} keys match; the first of them are shown.\n", shown_member(preview, "matched"));
}

void show_done(const Invocation& invocation, const json::value& done) {
  if (invocation.output == Output::json) return print_json(done);
  if (invocation.quiet) return fmt::print("{}\n", shown_member(done, "changed"));
  fmt::print("{} of {} keys changed, at position {}\n", shown_member(done, "changed"), shown_member(done, "matched"),
             shown_member(done, "position"));
}

}  // namespace

void add_key_choice(CLI::App& app, KeyChoice& choice) {
  app.add_option("id", choice.id, "The key's id")->type_name("ID");
  app.add_option("--selector", choice.selector, "All keys with these labels: team=x,env!=prod,!legacy")
      ->type_name("LABELS");
  app.add_option("--user", choice.user, "All keys of this user")->type_name("USER");
  app.add_flag("--dry-run", choice.dry_run, "With --selector or --user: say which keys match, and change nothing");
}

std::optional<int> check_choice(const KeyChoice& choice) {
  const int given = int{!choice.id.empty()} + int{!choice.selector.empty()} + int{!choice.user.empty()};
  if (given != 1) return complain(Error(ErrorCode::invalid, "give a key's id, or --selector, or --user"));
  if (choice.dry_run && !choice.is_set()) {
    return complain(Error(ErrorCode::invalid, "--dry-run goes with --selector or --user"));
  }
  return std::nullopt;
}

int change_set(const Invocation& invocation, std::string_view verb, const KeyChoice& choice, bool asks) {
  json::value preview;
  ApiCall look = set_call(verb, choice);
  (*look.body)["dryRun"] = true;
  const int looked = call_as_admin(invocation, look, [&](const json::value& body) { preview = body; });
  if (looked != exit_done) return looked;
  if (!preview.is_object()) return complain(Error(ErrorCode::unavailable, "the service's answer says of no keys"));
  if (choice.dry_run) return show_preview(invocation, preview), exit_done;
  const std::string matched = shown_member(preview, "matched");
  if (asks) {
    if (const auto end = ask(invocation, fmt::format("{} {} access keys?", verb, matched))) return *end;
  }
  ApiCall call = set_call(verb, choice);
  if (verb == "delete") (*call.body)["confirm"] = shown_member(preview, "confirm");
  return call_as_admin(invocation, waiting(invocation, std::move(call)),
                       [&](const json::value& done) { show_done(invocation, done); });
}

}  // namespace latchkey::cli
