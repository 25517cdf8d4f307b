#include <fmt/format.h>

#include <array>
#include <memory>

#include "cli/key_commands.hpp"
#include "cli/key_pages.hpp"
#include "cli/whole_number.hpp"

namespace latchkey::cli {
namespace {

struct KeyListOptions {
  std::string user, status, name, selector, unused;
  unsigned limit = 50;
  bool all = false;
};

constexpr std::array key_columns{Column{"KEY ID", "keyId"},
                                 Column{"USER", "userId"},
                                 Column{"NAME", "name"},
                                 Column{"STATUS", "status"},
                                 Column{"PER MINUTE", "requestsPerMinute"},
                                 Column{"EXPIRES", "expiresAt"},
                                 Column{"LAST USED", "lastUsedAt"},
                                 Column{"PREVIOUS UNTIL", "previousValidUntil"}};

std::string page_path(const KeyListOptions& options, const std::string& cursor) {
  std::string path = fmt::format("/v1/keys?limit={}", options.limit);
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) path += fmt::format("&{}={}", name, http_client::url_escape(value));
  };
  add("userId", options.user);
  add("status", options.status);
  add("name", options.name);
  add("selector", options.selector);
  add("unusedFor", options.unused);
  add("cursor", cursor);
  return path;
}

void print_keys(const Invocation& invocation, const json::value& body) {
  if (invocation.output == Output::json) return print_json(body);
  const auto& keys = body.as_object().at("keys").as_array();
  if (!invocation.quiet) return fmt::print("{}", render_table(keys, key_columns));
  for (const auto& key : keys) fmt::print("{}\n", render_value(key.as_object().at("keyId")));
}

void append_page(json::value& merged, const json::value& page) {
  if (merged.is_null()) {
    merged = page;
    return;
  }
  const auto& more = page.as_object();
  auto& all = merged.as_object().at("keys").as_array();
  const auto& keys = more.at("keys").as_array();
  all.insert(all.end(), keys.begin(), keys.end());
  const auto* next = more.if_contains("nextCursor");
  merged.as_object()["nextCursor"] = next == nullptr ? json::value(nullptr) : *next;
}

/// All pages as one body, so that a table has one heading and JSON stays one document.
int list(const Invocation& invocation, const KeyListOptions& options) {
  json::value merged;
  const auto path = [&](const std::string& cursor) { return page_path(options, cursor); };
  const auto read = read_key_pages(invocation, path, [&](const json::value& page) {
    append_page(merged, page);
    return options.all;
  });
  if (read.code != exit_done) return read.code;
  print_keys(invocation, merged);
  if (read.more) fmt::print(stderr, "There are more: --all shows them.\n");
  return exit_done;
}

}  // namespace

void add_key_list(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("list", "List access keys");
  app->footer(
      "latchkey key list --user alice --status active\nlatchkey key list --unused 90d --all\nlatchkey key list --all "
      "-o json");
  const auto options = std::make_shared<KeyListOptions>();
  app->add_option("--user", options->user, "Of this user only")->type_name("ID");
  app->add_option("--status", options->status, "active, disabled, expired or deleted")
      ->check(CLI::IsMember({"active", "disabled", "expired", "deleted"}))
      ->type_name("STATUS");
  app->add_option("--name", options->name, "Of this name")->type_name("TEXT");
  app->add_option("--selector", options->selector, "With these labels: team=x,env!=prod,!legacy")->type_name("LABELS");
  app->add_option("--unused", options->unused, "Neither used nor created within this time: 90d")->type_name("DURATION");
  app->add_option("--limit", options->limit, "At most so many (50)")
      ->check(whole_number())
      ->check(CLI::Range(1U, 500U))
      ->type_name("N");
  app->add_flag("--all", options->all, "All of them, page by page");
  add_client_flags(*app, invocation);
  app->callback(
      [&invocation, options] { invocation.command = [&invocation, options] { return list(invocation, *options); }; });
}

}  // namespace latchkey::cli
