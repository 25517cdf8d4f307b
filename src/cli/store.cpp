// `latchkey store migrate`: from the embedded store to one past one machine.

#include <fmt/format.h>

#include <memory>

#include "cli/invocation.hpp"

namespace latchkey::cli {
namespace {

struct Migration {
  std::string from;
  std::string to;
};

int migrate(const Invocation& invocation, const Migration& migration) {
  std::string to = migration.to;
  std::string place = "--to";
  if (to.empty()) {
    const auto resolved = invocation.settings();
    if (!resolved) return complain(resolved.error());
    to = resolved->settings.store;
    place = resolved->place_of("store");
  }
  const auto moved = invocation.programs.migrate(migration.from, {place, to});
  if (!moved) return complain(moved.error());
  fmt::print("{}\n", *moved);
  return exit_done;
}

}  // namespace

void add_store(CLI::App& app, Invocation& invocation) {
  auto* group = app.add_subcommand("store", "The database that holds the keys");
  group->require_subcommand(1);
  group->footer(
      "latchkey store migrate --from sqlite:/var/lib/latchkey/latchkey.db --to postgresql://db.internal/latchkey");
  auto* command = group->add_subcommand("migrate", "Move keys, audit trail and signing keys into an empty PostgreSQL");
  command->footer(
      "latchkey store migrate --from sqlite:/var/lib/latchkey/latchkey.db --to postgresql://db.internal/latchkey\n"
      "LATCHKEY_STORE=postgresql://… latchkey store migrate --from sqlite:./latchkey-data/latchkey.db");
  const auto migration = std::make_shared<Migration>();
  command->add_option("--from", migration->from, "sqlite:FILE; its services are stopped")
      ->required()
      ->type_name("STORE");
  command
      ->add_option("--to", migration->to,
                   "A postgresql:// URL, else the setting store, which keeps a password off the command line")
      ->type_name("STORE");
  add_location_flags(*command, invocation);
  command->callback([&invocation, migration] {
    invocation.command = [&invocation, migration] { return migrate(invocation, *migration); };
  });
}

}  // namespace latchkey::cli
