#include "cli/invocation.hpp"

namespace latchkey::cli {
namespace {

using Program = std::function<int(const config::Settings&)>;

void add_service(CLI::App& app, Invocation& invocation, const char* name, const char* description,
                 const Program& program) {
  auto* command = app.add_subcommand(name, description);
  command->footer(std::string("latchkey ") + name + "\nlatchkey " + name + " --data-dir /var/lib/latchkey");
  add_setting_flags(*command, invocation);
  command->callback([&invocation, &program] {
    invocation.command = [&invocation, &program] {
      const auto resolved = invocation.settings();
      return resolved ? program(resolved->settings) : complain(resolved.error());
    };
  });
}

}  // namespace

void add_services(CLI::App& app, Invocation& invocation) {
  add_service(app, invocation, "keys", "Run Access Key Management", invocation.programs.keys);
  add_service(app, invocation, "tokens", "Run Token Information", invocation.programs.tokens);
  add_service(app, invocation, "relay", "Copy the store's changes to the Redis stream", invocation.programs.relay);
}

}  // namespace latchkey::cli
