#include <fmt/format.h>

#include <array>
#include <memory>

#include "cli/csv.hpp"
#include "cli/exact_json.hpp"
#include "cli/key_commands.hpp"
#include "cli/key_pages.hpp"

namespace latchkey::cli {
namespace {

struct KeyExportOptions {
  std::string user, status, selector, form = "jsonl";
};

constexpr std::array<std::string_view, 14> exported = {
    "keyId",  "userId",   "name",   "status",    "requestsPerMinute", "plan",      "limits",
    "scopes", "networks", "labels", "expiresAt", "createdAt",         "updatedAt", "metadata"};

std::string csv_value(const json::value* value) {
  if (value == nullptr || value->is_null()) return "";
  if (const auto number = exact_number(*value); !number.empty()) return std::string(number);
  return csv_field(value->is_string() ? std::string(value->as_string()) : serialize_exactly(*value));
}

void print_row(const json::value& key, bool csv) {
  if (!csv || !key.is_object()) return fmt::print("{}\n", serialize_exactly(key));
  std::string line;
  for (const auto& name : exported) {
    if (!line.empty()) line += ',';
    line += csv_value(key.as_object().if_contains(name));
  }
  fmt::print("{}\n", line);
}

std::string export_page(const KeyExportOptions& options, const std::string& cursor) {
  std::string path = "/v1/keys?order=oldest&limit=500";
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) path += fmt::format("&{}={}", name, http_client::url_escape(value));
  };
  add("userId", options.user);
  add("status", options.status);
  add("selector", options.selector);
  add("cursor", cursor);
  return path;
}

int export_keys(const Invocation& invocation, const KeyExportOptions& options) {
  const bool csv = options.form == "csv";
  if (csv) fmt::print("{}\n", fmt::join(exported, ","));
  const auto path = [&](const std::string& cursor) { return export_page(options, cursor); };
  return read_key_pages(invocation, path,
                        [&](const json::value& page) {
                          for (const auto& key : page.as_object().at("keys").as_array()) print_row(key, csv);
                          return true;
                        })
      .code;
}

}  // namespace

void add_key_export(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("export", "All keys, oldest first, a line each; no secrets");
  app->footer("latchkey key export >keys.jsonl\nlatchkey key export --selector team=x --form csv");
  const auto options = std::make_shared<KeyExportOptions>();
  app->add_option("--user", options->user, "Of this user only")->type_name("ID");
  app->add_option("--status", options->status, "active, disabled, expired or deleted")
      ->check(CLI::IsMember({"active", "disabled", "expired", "deleted"}))
      ->type_name("STATUS");
  app->add_option("--selector", options->selector, "With these labels: team=x,env!=prod,!legacy")->type_name("LABELS");
  app->add_option("--form", options->form, "jsonl or csv (jsonl)")
      ->check(CLI::IsMember({"jsonl", "csv"}))
      ->type_name("FORM");
  add_client_flags(*app, invocation);
  app->callback([&invocation, options] {
    invocation.command = [&invocation, options] { return export_keys(invocation, *options); };
  });
}

}  // namespace latchkey::cli
