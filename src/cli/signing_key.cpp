#include <fmt/format.h>

#include <array>
#include <memory>

#include "cli/enforcement.hpp"
#include "cli/key_commands.hpp"

namespace latchkey::cli {
namespace {

constexpr std::array signing_columns{Column{"KEY ID", "kid"}, Column{"STATE", "state"}, Column{"CREATED", "createdAt"},
                                     Column{"UPDATED", "updatedAt"}};

/// A list under whatever name, or one key.
json::array keys_in(const json::value& body) {
  if (body.is_array()) return body.as_array();
  if (body.is_object()) {
    for (const auto& member : body.as_object()) {
      if (member.value().is_array()) return member.value().as_array();
    }
    return {body};
  }
  return {};
}

void show(const Invocation& invocation, const json::value& body) {
  if (invocation.output == Output::json) return print_json(body);
  const auto keys = keys_in(body);
  if (!invocation.quiet) return fmt::print("{}", render_table(keys, signing_columns));
  for (const auto& key : keys) {
    if (key.is_object() && key.as_object().contains("kid")) fmt::print("{}\n", render_value(key.as_object().at("kid")));
  }
}

int rotate(const Invocation& invocation, bool retire_previous) {
  const auto* question =
      retire_previous ? "Rotate the signing key and refuse every access key signed so far?" : "Rotate the signing key?";
  if (const auto end = ask(invocation, question)) return *end;
  return call_as_admin(
      invocation,
      waiting(invocation, {"POST", "/v1/signing-keys/rotate", json::object{{"retirePrevious", retire_previous}}, {}}),
      [&](const json::value& body) { show(invocation, body); });
}

}  // namespace

void add_signing_key(CLI::App& app, Invocation& invocation) {
  auto* group = app.add_subcommand("signing-key", "The keys that sign access keys");
  group->require_subcommand(1);
  group->footer("latchkey signing-key list\nlatchkey signing-key rotate --yes");
  auto* list = group->add_subcommand("list", "List signing keys");
  list->footer("latchkey signing-key list");
  add_client_flags(*list, invocation);
  list->callback([&invocation] {
    invocation.command = [&invocation] {
      return call_as_admin(invocation, {"GET", "/v1/signing-keys", std::nullopt, {}},
                           [&](const json::value& body) { show(invocation, body); });
    };
  });
  auto* command = group->add_subcommand("rotate", "Sign with a new key from now on");
  command->footer("latchkey signing-key rotate --yes\nlatchkey signing-key rotate --retire-previous --yes");
  const auto retire = std::make_shared<bool>(false);
  command->add_flag("--retire-previous", *retire, "Refuse what the previous keys signed");
  add_yes_flag(*command, invocation);
  add_wait_flags(*command, invocation);
  add_client_flags(*command, invocation);
  command->callback(
      [&invocation, retire] { invocation.command = [&invocation, retire] { return rotate(invocation, *retire); }; });
}

}  // namespace latchkey::cli
