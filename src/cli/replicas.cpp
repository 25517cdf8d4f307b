#include <fmt/format.h>

#include <array>
#include <memory>

#include "cli/key_commands.hpp"

namespace latchkey::cli {
namespace {

constexpr std::array replica_columns{Column{"REPLICA", "replicaId"},  Column{"NAME", "name"},
                                     Column{"STATE", "state"},        Column{"POSITION", "position"},
                                     Column{"CHANGES", "lagChanges"}, Column{"MILLIS", "lagMillis"},
                                     Column{"OUTDATED", "outdated"},  Column{"LAST SEEN", "lastSeen"}};

void show_replicas(const Invocation& invocation, const json::value& body) {
  if (invocation.output == Output::json) return print_json(body);
  const auto* object = body.if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains("replicas");
  const auto* replicas = found == nullptr ? nullptr : found->if_array();
  if (replicas == nullptr) return;
  if (!invocation.quiet) return fmt::print("{}", render_table(*replicas, replica_columns));
  for (const auto& replica : *replicas) {
    if (replica.is_object()) fmt::print("{}\n", render_value(replica.as_object().at("replicaId")));
  }
}

int forget(const Invocation& invocation, const std::string& id) {
  const auto question = fmt::format("Has replica {} ended for certain, or is it kept from every request?", id);
  if (const auto end = ask(invocation, question)) return *end;
  return call_as_admin(invocation, {"DELETE", "/v1/replicas/" + http_client::url_escape(id), std::nullopt},
                       [&](const json::value&) {
                         if (invocation.output == Output::json) return print_json(json::object{{"replicaId", id}});
                         if (invocation.quiet) fmt::print("{}\n", id);
                       });
}

void add_forget(CLI::App& replicas, Invocation& invocation) {
  auto* app = replicas.add_subcommand("forget", "Wait no more for a replica that has ended for certain");
  app->footer(
      "latchkey replicas forget ID --yes\n\n"
      "You vouch that it has ended, or is kept from every request by other means, such as a firewall. Confirmations\n"
      "wait for it no more, at once. If it serves all the same, by another primary, what is confirmed from then on is\n"
      "not enforced there. Refused while it has reported within its LATCHKEY_MAX_STALENESS. Each management service\n"
      "keeps a list of its own: ask each, by LATCHKEY_URL.");
  const auto id = std::make_shared<std::string>();
  app->add_option("id", *id, "The replica's id")->required()->type_name("ID");
  add_yes_flag(*app, invocation);
  add_client_flags(*app, invocation);
  app->callback([&invocation, id] { invocation.command = [&invocation, id] { return forget(invocation, *id); }; });
}

}  // namespace

void add_replicas(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("replicas", "Who enforces, and how far behind the changes each is");
  command->footer("latchkey replicas\nlatchkey replicas -o json\nlatchkey replicas forget ID --yes");
  add_client_flags(*command, invocation);
  add_forget(*command, invocation);
  command->callback([&invocation, command] {
    if (!command->get_subcommands().empty()) return;
    invocation.command = [&invocation] {
      return call_as_admin(invocation, {"GET", "/v1/replicas", std::nullopt},
                           [&](const json::value& body) { show_replicas(invocation, body); });
    };
  });
}

}  // namespace latchkey::cli
