#include <memory>

#include "cli/key_commands.hpp"
#include "cli/key_id_argument.hpp"

namespace latchkey::cli {
namespace {

int show_key(const Invocation& invocation, const std::shared_ptr<std::string>& id) {
  if (const auto end = complete_key_id(invocation, *id)) return *end;
  return call_as_admin(invocation, {"GET", key_path(*id), std::nullopt, {}},
                       [&](const json::value& key) { show_key(invocation, key); });
}

}  // namespace

void add_key_show(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("show", "Show one access key");
  app->footer("latchkey key show ID -o json");
  const auto id = std::make_shared<std::string>();
  app->add_option("id", *id, "The key's id")->required()->type_name("ID");
  add_client_flags(*app, invocation);
  app->callback([&invocation, id] { invocation.command = [&invocation, id] { return show_key(invocation, id); }; });
}

}  // namespace latchkey::cli
