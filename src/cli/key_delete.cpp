#include <fmt/format.h>

#include <memory>

#include "cli/enforcement.hpp"
#include "cli/key_commands.hpp"
#include "cli/key_id_argument.hpp"
#include "cli/key_set.hpp"

namespace latchkey::cli {
namespace {

int delete_key(const Invocation& invocation, KeyChoice& choice) {
  if (const auto end = check_choice(choice)) return *end;
  if (choice.is_set()) return change_set(invocation, "delete", choice, true);
  std::string& id = choice.id;
  if (const auto end = complete_key_id(invocation, id)) return *end;
  if (const auto end = ask(invocation, fmt::format("Delete access key {} for good?", id))) return *end;
  return call_as_admin(
      invocation, waiting(invocation, {"DELETE", key_path(id), std::nullopt, {}}), [&](const json::value& body) {
        json::object deleted{{"keyId", id}, {"status", "deleted"}};  // the service answers without a body
        if (body.is_object()) deleted.insert(body.as_object().begin(), body.as_object().end());  // or with what waits
        if (invocation.quiet || invocation.output == Output::json) show_key(invocation, deleted);
      });
}

}  // namespace

void add_key_delete(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("delete", "Delete an access key for good");
  app->footer("latchkey key delete ID --yes\nlatchkey key delete --user alice --dry-run");
  const auto choice = std::make_shared<KeyChoice>();
  add_key_choice(*app, *choice);
  add_yes_flag(*app, invocation);
  add_wait_flags(*app, invocation);
  add_client_flags(*app, invocation);
  app->callback([&invocation, choice] {
    invocation.command = [&invocation, choice] { return delete_key(invocation, *choice); };
  });
}

}  // namespace latchkey::cli
