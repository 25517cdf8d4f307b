#include <memory>

#include "cli/enforcement.hpp"
#include "cli/expires.hpp"
#include "cli/key_commands.hpp"
#include "cli/whole_number.hpp"

namespace latchkey::cli {
namespace {

struct KeyUpdateOptions {
  std::string id, expires;
  std::optional<std::int64_t> requests_per_minute;
  std::optional<std::string> name, plan;
};

int update(const Invocation& invocation, const KeyUpdateOptions& options) {
  json::object body;
  if (options.requests_per_minute) body["requestsPerMinute"] = *options.requests_per_minute;
  if (options.name) body["name"] = *options.name;
  if (options.plan) body["plan"] = options.plan->empty() ? json::value(nullptr) : json::value(*options.plan);
  if (!options.expires.empty()) {
    const auto added = add_expiry(body, options.expires, SystemClock().wall(), DurationAs::time);
    if (!added) return complain(added.error());
  }
  if (body.empty()) return complain(Error(ErrorCode::invalid, "nothing to update: see latchkey key update --help"));
  return call_as_admin(invocation, waiting(invocation, {"PATCH", key_path(options.id), std::move(body), {}}),
                       [&](const json::value& key) { show_key(invocation, key); });
}

}  // namespace

void add_key_update(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("update", "Change a key's plan or name");
  app->footer("latchkey key update ID --requests-per-minute 120 --expires never");
  const auto options = std::make_shared<KeyUpdateOptions>();
  app->add_option("id", options->id, "The key's id")->required()->type_name("ID");
  app->add_option("--requests-per-minute", options->requests_per_minute, "Requests allowed in any 60 seconds")
      ->check(whole_number())
      ->type_name("N");
  app->add_option("--plan", options->plan, "The plan that gives the limits; an empty name: none")->type_name("NAME");
  app->add_option("--expires", options->expires, "30d from now, an RFC 3339 time, or never")->type_name("WHEN");
  app->add_option("--name", options->name, "A name for people")->type_name("TEXT");
  add_wait_flags(*app, invocation);
  add_client_flags(*app, invocation);
  app->callback(
      [&invocation, options] { invocation.command = [&invocation, options] { return update(invocation, *options); }; });
}

}  // namespace latchkey::cli
