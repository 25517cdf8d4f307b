#include <fmt/format.h>

#include <array>
#include <memory>

#include "cli/key_commands.hpp"
#include "cli/whole_number.hpp"

namespace latchkey::cli {
namespace {

struct KeyListOptions {
  std::string user, status, name, selector;
  unsigned limit = 50;
  bool all = false;
};

constexpr std::array key_columns{Column{"KEY ID", "keyId"},
                                 Column{"USER", "userId"},
                                 Column{"NAME", "name"},
                                 Column{"STATUS", "status"},
                                 Column{"PER MINUTE", "requestsPerMinute"},
                                 Column{"EXPIRES", "expiresAt"},
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
  add("cursor", cursor);
  return path;
}

void print_keys(const Invocation& invocation, const json::value& body) {
  if (invocation.output == Output::json) return print_json(body);
  const auto& keys = body.as_object().at("keys").as_array();
  if (!invocation.quiet) return fmt::print("{}", render_table(keys, key_columns));
  for (const auto& key : keys) fmt::print("{}\n", render_value(key.as_object().at("keyId")));
}

/// All pages as one body, so that a table has one heading and JSON stays one document.
int list(const Invocation& invocation, const KeyListOptions& options) {
  json::value merged;
  std::string cursor;
  do {
    bool good = false;
    const int code =
        call_as_admin(invocation, {"GET", page_path(options, cursor), std::nullopt, {}}, [&](const json::value& page) {
          const auto* object = page.if_object();
          const auto* keys = object == nullptr ? nullptr : object->if_contains("keys");
          if (keys == nullptr || !keys->is_array()) return;
          good = true;
          const auto* next = object->if_contains("nextCursor");
          cursor = next != nullptr && next->is_string() ? std::string(next->as_string()) : "";
          if (merged.is_null()) {
            merged = page;
            return;
          }
          auto& all = merged.as_object().at("keys").as_array();
          all.insert(all.end(), keys->as_array().begin(), keys->as_array().end());
          merged.as_object()["nextCursor"] = next == nullptr ? json::value(nullptr) : *next;
        });
    if (code != exit_done) return code;
    if (!good) return complain(Error(ErrorCode::unavailable, "the service's answer is no list of keys"));
  } while (options.all && !cursor.empty());
  print_keys(invocation, merged);
  if (!cursor.empty() && !options.all) fmt::print(stderr, "There are more: --all shows them.\n");
  return exit_done;
}

}  // namespace

void add_key_list(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("list", "List access keys");
  app->footer("latchkey key list --user alice --status active\nlatchkey key list --all -o json");
  const auto options = std::make_shared<KeyListOptions>();
  app->add_option("--user", options->user, "Of this user only")->type_name("ID");
  app->add_option("--status", options->status, "active, disabled, expired or deleted")
      ->check(CLI::IsMember({"active", "disabled", "expired", "deleted"}))
      ->type_name("STATUS");
  app->add_option("--name", options->name, "Of this name")->type_name("TEXT");
  app->add_option("--selector", options->selector, "With these labels: team=x,env!=prod,!legacy")->type_name("LABELS");
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
