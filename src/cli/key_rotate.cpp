#include <fmt/format.h>

#include <memory>

#include "cli/enforcement.hpp"
#include "cli/key_commands.hpp"
#include "cli/key_id_argument.hpp"

namespace latchkey::cli {
namespace {

struct KeyRotateOptions {
  std::string id, grace;
  bool end_grace = false;
};

int end_grace(const Invocation& invocation, const std::string& id) {
  if (const auto end = ask(invocation, fmt::format("Let the previous access key {} pass no longer?", id))) return *end;
  return call_as_admin(invocation, waiting(invocation, {"POST", key_path(id) + "/end-grace", json::object{}, {}}),
                       [&](const json::value& key) { show_key(invocation, key); });
}

int rotate(const Invocation& invocation, KeyRotateOptions& options) {
  if (options.end_grace && !options.grace.empty()) {
    return complain(Error(ErrorCode::invalid, "--grace goes with a rotation, --end-grace is none"));
  }
  if (const auto end = complete_key_id(invocation, options.id)) return *end;
  if (options.end_grace) return end_grace(invocation, options.id);
  if (const auto end = ask(invocation, fmt::format("Replace access key {}?", options.id))) return *end;
  json::object body;
  if (!options.grace.empty()) body["gracePeriod"] = options.grace;
  return call_as_admin(invocation, waiting(invocation, {"POST", key_path(options.id) + "/rotate", std::move(body), {}}),
                       [&](const json::value& issued) { show_issued(invocation, issued); });
}

}  // namespace

void add_key_rotate(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("rotate", "Issue a key anew under the same id");
  app->footer("latchkey key rotate ID --grace 10m --yes\nlatchkey key rotate ID --end-grace --yes --wait");
  const auto options = std::make_shared<KeyRotateOptions>();
  app->add_option("id", options->id, "The key's id")->required()->type_name("ID");
  app->add_option("--grace", options->grace, "How long the previous one still works, such as 10m (not at all)")
      ->type_name("DURATION");
  app->add_flag("--end-grace", options->end_grace,
                "No rotation: the previous one, which a grace still lets pass, works no longer");
  add_yes_flag(*app, invocation);
  add_wait_flags(*app, invocation);
  add_client_flags(*app, invocation);
  app->callback(
      [&invocation, options] { invocation.command = [&invocation, options] { return rotate(invocation, *options); }; });
}

}  // namespace latchkey::cli
