#include <memory>

#include "cli/enforcement.hpp"
#include "cli/key_commands.hpp"
#include "cli/key_id_argument.hpp"
#include "cli/key_set.hpp"

namespace latchkey::cli {
namespace {

int enable_key(const Invocation& invocation, KeyChoice& choice) {
  if (const auto end = check_choice(choice)) return *end;
  if (choice.is_set()) return change_set(invocation, "enable", choice, false);
  std::string& id = choice.id;
  if (const auto end = complete_key_id(invocation, id)) return *end;
  return call_as_admin(invocation, waiting(invocation, {"PATCH", key_path(id), json::object{{"disabled", false}}, {}}),
                       [&](const json::value& key) { show_key(invocation, key); });
}

}  // namespace

void add_key_enable(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("enable", "Enable a disabled access key");
  app->footer("latchkey key enable ID\nlatchkey key enable --selector team=x");
  const auto choice = std::make_shared<KeyChoice>();
  add_key_choice(*app, *choice);
  add_wait_flags(*app, invocation);
  add_client_flags(*app, invocation);
  app->callback([&invocation, choice] {
    invocation.command = [&invocation, choice] { return enable_key(invocation, *choice); };
  });
}

}  // namespace latchkey::cli
