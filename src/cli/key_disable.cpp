#include <fmt/format.h>

#include <memory>

#include "cli/enforcement.hpp"
#include "cli/key_commands.hpp"

namespace latchkey::cli {
namespace {

int disable_key(const Invocation& invocation, const std::shared_ptr<std::string>& id) {
  if (const auto end = ask(invocation, fmt::format("Disable access key {}?", *id))) return *end;
  return call_as_admin(invocation, waiting(invocation, {"PATCH", key_path(*id), json::object{{"disabled", true}}, {}}),
                       [&](const json::value& key) { show_key(invocation, key); });
}

}  // namespace

void add_key_disable(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("disable", "Disable an access key");
  app->footer("latchkey key disable ID --yes\nlatchkey key disable ID --yes --wait");
  const auto id = std::make_shared<std::string>();
  app->add_option("id", *id, "The key's id")->required()->type_name("ID");
  add_yes_flag(*app, invocation);
  add_wait_flags(*app, invocation);
  add_client_flags(*app, invocation);
  app->callback([&invocation, id] { invocation.command = [&invocation, id] { return disable_key(invocation, id); }; });
}

}  // namespace latchkey::cli
