#include <memory>

#include "cli/enforcement.hpp"
#include "cli/key_commands.hpp"

namespace latchkey::cli {
namespace {

int enable_key(const Invocation& invocation, const std::shared_ptr<std::string>& id) {
  return call_as_admin(invocation, waiting(invocation, {"PATCH", key_path(*id), json::object{{"disabled", false}}, {}}),
                       [&](const json::value& key) { show_key(invocation, key); });
}

}  // namespace

void add_key_enable(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("enable", "Enable a disabled access key");
  app->footer("latchkey key enable ID");
  const auto id = std::make_shared<std::string>();
  app->add_option("id", *id, "The key's id")->required()->type_name("ID");
  add_wait_flags(*app, invocation);
  add_client_flags(*app, invocation);
  app->callback([&invocation, id] { invocation.command = [&invocation, id] { return enable_key(invocation, id); }; });
}

}  // namespace latchkey::cli
