#include <fmt/format.h>

#include "base/shown.hpp"
#include "cli/exact_json.hpp"
#include "cli/key_commands.hpp"
#include "cli/output.hpp"

namespace latchkey::cli {
namespace {

std::string member_text(const json::value& value, std::string_view name) {
  const auto* object = value.if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains(name);
  return found == nullptr ? "-" : render_value(*found);
}

}  // namespace

void print_json(const json::value& value) { fmt::print("{}\n", serialize_exactly(value)); }

void show_key(const Invocation& invocation, const json::value& key) {
  if (invocation.quiet) return fmt::print("{}\n", member_text(key, "keyId"));
  if (invocation.output == Output::json) return print_json(key);
  if (key.is_object()) fmt::print("{}", render_details(key.as_object(), key_details()));
}

void show_issued(const Invocation& invocation, const json::value& issued) {
  const auto* object = issued.if_object();
  const auto* key = object == nullptr ? nullptr : object->if_contains("key");
  const std::string remedy = "another is issued by: latchkey key rotate " +
                             (key == nullptr ? std::string("ID") : member_text(*key, "keyId")) + " --yes";
  if (invocation.quiet) return write_secret_line(member_text(issued, "accessKey"), "the access key", remedy);
  if (invocation.output == Output::json) return write_secret_line(serialize_exactly(issued), "the access key", remedy);
  if (key != nullptr) show_key(invocation, *key);
  fmt::print("\n");
  write_secret_line(member_text(issued, "accessKey"), "the access key", remedy);
  fmt::print(stderr, "The line above is the access key. It is not stored and not shown again.\n");
}

Result<json::object> labels_of(const std::vector<std::string>& texts) {
  json::object labels;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error(ErrorCode::invalid, fmt::format("--label: {} is not NAME=VALUE", shown(text)));
    }
    if (!labels.emplace(text.substr(0, equals), text.substr(equals + 1)).second) {
      return Error(ErrorCode::invalid, fmt::format("--label: {} is given twice", shown(text.substr(0, equals))));
    }
  }
  return labels;
}

void add_key(CLI::App& app, Invocation& invocation) {
  auto* key = app.add_subcommand("key", "Create, see and change access keys");
  key->require_subcommand(1);
  key->footer(
      "latchkey key create --user alice --requests-per-minute 60 --expires 30d\n"
      "latchkey key list --user alice\n"
      "latchkey key disable ID --yes");
  add_key_create(*key, invocation);
  add_key_list(*key, invocation);
  add_key_show(*key, invocation);
  add_key_update(*key, invocation);
  add_key_disable(*key, invocation);
  add_key_enable(*key, invocation);
  add_key_rotate(*key, invocation);
  add_key_delete(*key, invocation);
  add_key_purge(*key, invocation);
  add_key_export(*key, invocation);
  add_key_identify(*key, invocation);
  add_key_verify_offline(*key, invocation);
}

}  // namespace latchkey::cli
