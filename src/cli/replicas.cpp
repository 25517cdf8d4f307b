#include <fmt/format.h>

#include <array>

#include "cli/key_commands.hpp"

namespace latchkey::cli {
namespace {

constexpr std::array replica_columns{Column{"REPLICA", "replicaId"},  Column{"NAME", "name"},
                                     Column{"STATE", "state"},        Column{"POSITION", "position"},
                                     Column{"CHANGES", "lagChanges"}, Column{"MILLIS", "lagMillis"},
                                     Column{"LAST SEEN", "lastSeen"}};

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

}  // namespace

void add_replicas(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("replicas", "Who enforces, and how far behind the changes each is");
  command->footer("latchkey replicas\nlatchkey replicas -o json");
  add_client_flags(*command, invocation);
  command->callback([&invocation] {
    invocation.command = [&invocation] {
      return call_as_admin(invocation, {"GET", "/v1/replicas", std::nullopt},
                           [&](const json::value& body) { show_replicas(invocation, body); });
    };
  });
}

}  // namespace latchkey::cli
