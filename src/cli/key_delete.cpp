#include <fmt/format.h>

#include <memory>

#include "cli/enforcement.hpp"
#include "cli/key_commands.hpp"

namespace latchkey::cli {
namespace {

int delete_key(const Invocation& invocation, const std::shared_ptr<std::string>& id) {
  if (const auto end = ask(invocation, fmt::format("Delete access key {} for good?", *id))) return *end;
  return call_as_admin(
      invocation, waiting(invocation, {"DELETE", key_path(*id), std::nullopt, {}}), [&](const json::value& body) {
        json::object deleted{{"keyId", *id}, {"status", "deleted"}};  // the service answers without a body
        if (body.is_object()) deleted.insert(body.as_object().begin(), body.as_object().end());  // or with what waits
        if (invocation.quiet || invocation.output == Output::json) show_key(invocation, deleted);
      });
}

}  // namespace

void add_key_delete(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("delete", "Delete an access key for good");
  app->footer("latchkey key delete ID --yes");
  const auto id = std::make_shared<std::string>();
  app->add_option("id", *id, "The key's id")->required()->type_name("ID");
  add_yes_flag(*app, invocation);
  add_wait_flags(*app, invocation);
  add_client_flags(*app, invocation);
  app->callback([&invocation, id] { invocation.command = [&invocation, id] { return delete_key(invocation, id); }; });
}

}  // namespace latchkey::cli
