// `latchkey store`: copies of the database, made and put back, and the move to one past one machine.

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

using FileCommand = std::function<Result<std::string>(const config::Settings&, const std::string&)>;

int work_on_file(const Invocation& invocation, const FileCommand& command, const std::string& file) {
  const auto resolved = invocation.settings();
  if (!resolved) return complain(resolved.error());
  const auto done = command(resolved->settings, file);
  if (!done) return complain(done.error());
  fmt::print("{}\n", *done);
  return exit_done;
}

void add_file_command(CLI::App& group, Invocation& invocation, const char* name, const char* help, const char* footer,
                      const char* file_help, const FileCommand& program) {
  auto* command = group.add_subcommand(name, help);
  command->footer(footer);
  const auto file = std::make_shared<std::string>();
  command->add_option("FILE", *file, file_help)->required();
  add_location_flags(*command, invocation);
  command->callback([&invocation, &program, file] {
    invocation.command = [&invocation, &program, file] { return work_on_file(invocation, program, *file); };
  });
}

int verify(const Invocation& invocation) {
  const auto resolved = invocation.settings();
  if (!resolved) return complain(resolved.error());
  const auto verified = invocation.programs.verify(resolved->settings);
  if (!verified) return complain(verified.error());
  fmt::print("{}\n", verified->text);
  if (verified->whole) return exit_done;
  fmt::print(stderr, "latchkey: the audit trail is not as it was written\n");
  return exit_failed;
}

void add_verify(CLI::App& group, Invocation& invocation) {
  auto* command =
      group.add_subcommand("verify", "Check that the audit trail is as it was written, also while services run");
  command->footer(
      "latchkey store verify\nLATCHKEY_STORE=postgresql://… latchkey store verify\n"
      "Write down the position and hash that it prints: a later run that prints another hash for the same position has "
      "found another history.");
  add_location_flags(*command, invocation);
  command->callback([&invocation] { invocation.command = [&invocation] { return verify(invocation); }; });
}

}  // namespace

void add_store(CLI::App& app, Invocation& invocation) {
  auto* group = app.add_subcommand("store", "The database that holds the keys");
  group->require_subcommand(1);
  group->footer(
      "latchkey store backup /backups/monday.db\n"
      "latchkey store restore /backups/monday.db\n"
      "latchkey store verify\n"
      "latchkey store migrate --from sqlite:/var/lib/latchkey/latchkey.db --to postgresql://db.internal/latchkey");
  add_file_command(*group, invocation, "backup", "Copy the embedded database, also while services run",
                   "latchkey store backup /backups/monday.db", "Made new; must not exist", invocation.programs.backup);
  add_file_command(*group, invocation, "restore", "Put a backup in the place of the embedded database",
                   "latchkey store restore /backups/monday.db\nlatchkey store restore --data-dir /var/lib/latchkey "
                   "/backups/monday.db",
                   "A backup; checked first, and left as it is", invocation.programs.restore);
  add_verify(*group, invocation);
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
