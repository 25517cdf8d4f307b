#include <fmt/format.h>

#include <memory>

#include "admin_identity/dev_admin_token.hpp"
#include "base/time_text.hpp"
#include "cli/invocation.hpp"
#include "cli/output.hpp"

namespace latchkey::cli {
namespace {

struct AdminTokenOptions {
  std::string subject = "ops", role = "admin", ttl = "12h";
};

int admin_token(const Invocation& invocation, const AdminTokenOptions& options) {
  const auto lifetime = parse_duration(options.ttl);
  if (!lifetime) return complain(Error(ErrorCode::invalid, "--ttl: " + not_a_duration(options.ttl)));
  if (!jwt::is_admin_subject(options.subject)) {
    return complain(
        Error(ErrorCode::invalid, "--subject: 1 to 255 bytes without control characters, not beginning with \"key:\""));
  }
  const auto resolved = invocation.settings();
  if (!resolved) return complain(resolved.error());
  if (const auto others = admin_identity::other_admin_keys(resolved->settings); !others.empty()) {
    return complain(
        Error(ErrorCode::conflict, fmt::format("admin tokens are judged by {}, not by the development key of the data "
                                               "directory: sign one with the private half of that",
                                               others)));
  }
  const auto data = data_dir::DataDir::open_or_create(resolved->settings.data_dir);
  if (!data) return complain(data.error());
  const auto key = data->load_or_create_admin_key();
  if (!key) return complain(key.error());
  const auto role = options.role == "admin" ? jwt::AdminRole::admin : jwt::AdminRole::viewer;
  write_secret_line(admin_identity::mint_dev_admin_token({options.subject, role, *lifetime}, *key).reveal(),
                    "the admin token", "the same command mints another");
  return exit_done;
}

}  // namespace

void add_admin_token(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("admin-token", "Mint an admin token by the data directory's development key");
  command->footer(
      "latchkey admin-token --subject ops --role viewer --ttl 12h\n"
      "export LATCHKEY_ADMIN_TOKEN=$(latchkey admin-token)");
  const auto options = std::make_shared<AdminTokenOptions>();
  command->add_option("--subject", options->subject, "Who; the audit trail names it (ops)")->type_name("TEXT");
  command->add_option("--role", options->role, "admin, or viewer: read only (admin)")
      ->check(CLI::IsMember({"admin", "viewer"}))
      ->type_name("ROLE");
  command->add_option("--ttl", options->ttl, "How long it is good (12h)")->type_name("DURATION");
  add_location_flags(*command, invocation);
  command->callback([&invocation, options] {
    invocation.command = [&invocation, options] { return admin_token(invocation, *options); };
  });
}

}  // namespace latchkey::cli
