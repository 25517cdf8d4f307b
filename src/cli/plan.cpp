#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "cli/bearer.hpp"
#include "cli/enforcement.hpp"
#include "cli/key_commands.hpp"
#include "cli/render.hpp"

namespace latchkey::cli {
namespace {

Result<Secret> access_key(const std::string& file) {
  if (!file.empty()) return read_bearer(file);
  const char* value = std::getenv("LATCHKEY_ACCESS_KEY");
  if (value == nullptr || *value == '\0') {
    return Error(ErrorCode::invalid, "no access key: set LATCHKEY_ACCESS_KEY or give --key-file FILE (- is stdin)");
  }
  return bearer_of(value, "LATCHKEY_ACCESS_KEY");
}

constexpr std::array limit_columns{
    Column{"LIMIT", "name"}, Column{"REQUESTS", "requests"}, Column{"IN", "span"},           Column{"PER", "per"},
    Column{"MODE", "mode"},  Column{"LEFT", "remaining"},    Column{"RESET", "resetSeconds"}};

/// "10s"; "month Europe/Berlin 31".
std::string span_of(const json::object& limit) {
  std::string text;
  for (const auto* member : {"window", "period", "timeZone", "anchorDay"}) {
    if (const auto* value = limit.if_contains(member))
      text.append(text.empty() ? "" : " ").append(render_value(*value));
  }
  return text;
}

/// What is left only a replica of Token Information knows.
void show_limits(const json::value& plan) {
  const auto* object = plan.if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains("limits");
  const auto* limits = found == nullptr ? nullptr : found->if_array();
  if (limits == nullptr) return;
  if (limits->empty()) return fmt::print("\nno limit\n");
  json::array rows;
  for (const auto& limit : *limits) {
    if (!limit.is_object()) continue;
    json::object row = limit.as_object();
    row["span"] = span_of(limit.as_object());
    rows.push_back(std::move(row));
  }
  fmt::print("\n{}", render_table(rows, limit_columns));
}

int plan(const Invocation& invocation, const std::string& file) {
  const auto key = access_key(file);
  if (!key) return complain(key.error());
  return call_with(invocation, *key, {"GET", "/v1/plan", std::nullopt, {}}, [&](const json::value& body) {
    show_key(invocation, body);
    if (!invocation.quiet && invocation.output != Output::json) show_limits(body);
  });
}

int disable_own(const Invocation& invocation, const std::string& file) {
  const auto key = access_key(file);
  if (!key) return complain(key.error());
  if (const auto end = ask(invocation, "Disable your own access key?")) return *end;
  return call_with(invocation, *key, waiting(invocation, {"POST", "/v1/plan/disable", std::nullopt, {}}),
                   [&](const json::value& body) { show_key(invocation, body); });
}

void add_key_file(CLI::App& app, std::string& file) {
  app.add_option("--key-file", file, "The access key, else LATCHKEY_ACCESS_KEY; - is stdin")->type_name("FILE");
}

}  // namespace

void add_plan(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("plan", "As a key holder: your own plan");
  command->footer(
      "LATCHKEY_ACCESS_KEY=$KEY latchkey plan\nlatchkey plan --key-file - <key.txt\n"
      "LATCHKEY_ACCESS_KEY=$KEY latchkey plan disable --yes");
  const auto file = std::make_shared<std::string>();
  add_key_file(*command, *file);
  add_output_flags(*command, invocation);
  auto* disable = command->add_subcommand("disable", "Disable your own access key");
  disable->footer("LATCHKEY_ACCESS_KEY=$KEY latchkey plan disable --yes");
  add_key_file(*disable, *file);
  add_yes_flag(*disable, invocation);
  add_wait_flags(*disable, invocation);
  add_output_flags(*disable, invocation);
  command->callback([&invocation, file, disable] {
    const auto act = disable->parsed() ? disable_own : plan;
    invocation.command = [&invocation, file, act] { return act(invocation, *file); };
  });
}

}  // namespace latchkey::cli
