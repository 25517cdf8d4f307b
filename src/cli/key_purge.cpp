#include <fmt/format.h>

#include <memory>

#include "cli/enforcement.hpp"
#include "cli/key_commands.hpp"

namespace latchkey::cli {
namespace {

constexpr auto longest_purge = std::chrono::minutes(10);  // at the service; there may be a million

struct PurgeOptions {
  std::string deleted_before;
  bool dry_run = false;
};

void show_purge(const Invocation& invocation, const json::value& answer, std::string_view count) {
  if (invocation.output == Output::json) return print_json(answer);
  const auto* object = answer.if_object();
  const auto* number = object == nullptr ? nullptr : object->if_contains(count);
  if (number == nullptr) return;
  const std::string text = render_value(*number);
  if (invocation.quiet) return fmt::print("{}\n", text);
  fmt::print("{} deleted keys {} purged\n", text, count == "matched" ? "would be" : "were");
}

int purge(const Invocation& invocation, const PurgeOptions& options) {
  ApiCall call{"POST", "/v1/keys:purge", json::object{{"deletedBefore", options.deleted_before}}, {}};
  call.timeout = longest_purge;
  if (options.dry_run) {
    (*call.body)["dryRun"] = true;
    return call_as_admin(invocation, call,
                         [&](const json::value& answer) { show_purge(invocation, answer, "matched"); });
  }
  if (const auto end = ask(invocation, "Remove these rows for good? Their changes stay in the log.")) return *end;
  return call_as_admin(invocation, waiting(invocation, std::move(call)),
                       [&](const json::value& answer) { show_purge(invocation, answer, "purged"); });
}

}  // namespace

void add_key_purge(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("purge", "Remove the rows of keys that were deleted long ago");
  app->footer("latchkey key purge --deleted-before 90d --dry-run\nlatchkey key purge --deleted-before 90d --yes");
  const auto options = std::make_shared<PurgeOptions>();
  app->add_option("--deleted-before", options->deleted_before, "90d ago, or an RFC 3339 time; at least 24h ago")
      ->required()
      ->type_name("WHEN");
  app->add_flag("--dry-run", options->dry_run, "Say how many there are, and remove nothing");
  add_yes_flag(*app, invocation);
  add_wait_flags(*app, invocation);
  add_client_flags(*app, invocation);
  app->callback(
      [&invocation, options] { invocation.command = [&invocation, options] { return purge(invocation, *options); }; });
}

}  // namespace latchkey::cli
