#include <fmt/format.h>

#include <array>

#include "cli/key_commands.hpp"
#include "cli/named_rows.hpp"

namespace latchkey::cli {
namespace {

constexpr std::array user_columns{Column{"USER", "userId"}, Column{"PLAN", "plan"}, Column{"DISABLED", "disabled"},
                                  Column{"UPDATED", "updatedAt"}, Column{"BY", "updatedBy"}};
constexpr NamedRows users{"/v1/users", "users", "userId", user_columns};

struct UserOptions {
  std::string plan;
  LimitOptions limits;
  bool replace = false;
};

int put_user(const Invocation& invocation, const UserOptions& options, const std::string& id) {
  auto limits = limits_of(options.limits);
  if (!limits) return complain(limits.error());
  json::object body{{"limits", std::move(*limits)}};
  if (!options.plan.empty()) body["plan"] = options.plan;
  ApiCall call{"PUT", row_path(users, id), std::move(body), put_headers(options.replace)};
  return call_as_admin(invocation, waiting(invocation, std::move(call)),
                       [&](const json::value& user) { show_row(invocation, users, user); });
}

/// A user that has no row yet gets one first: nothing is to be prepared for an emergency.
int disable_user(const Invocation& invocation, const std::string& id) {
  if (const auto end = ask(invocation, fmt::format("Refuse all access keys of user {}?", id))) return *end;
  ApiCall call{"PATCH", row_path(users, id), json::object{{"disabled", true}}, {}};
  call.make_where_missing = call.path;
  return call_as_admin(invocation, waiting(invocation, std::move(call)),
                       [&](const json::value& user) { show_row(invocation, users, user); });
}

int enable_user(const Invocation& invocation, const std::string& id) {
  return call_as_admin(invocation,
                       waiting(invocation, {"PATCH", row_path(users, id), json::object{{"disabled", false}}, {}}),
                       [&](const json::value& user) { show_row(invocation, users, user); });
}

void show_erasure(const Invocation& invocation, const json::value& erased) {
  if (invocation.output == Output::json) return print_json(erased);
  const auto* object = erased.if_object();
  if (object == nullptr) return;
  const auto shown = [&](std::string_view name) {
    const auto* value = object->if_contains(name);
    return value == nullptr ? std::string() : render_value(*value);
  };
  fmt::print("{}\n", shown("pseudonym"));
  if (invocation.quiet) return;
  const auto* holders = object->if_contains("stillHeldBy");
  if (holders == nullptr || !holders->is_array()) return fmt::print(stderr, "{}\n", shown("detail"));
  fmt::print(stderr, "{} keys deleted, {} changes rewritten. What may still name the user:\n", shown("keys"),
             shown("changes"));
  for (const auto& holder : holders->as_array()) fmt::print(stderr, "- {}\n", render_value(holder));
}

int erase_user(const Invocation& invocation, const std::string& id) {
  if (const auto end = ask(invocation, fmt::format("Delete all access keys of user {} and erase the name?", id))) {
    return *end;
  }
  ApiCall call{"POST", row_path(users, id) + "/erase", std::nullopt, {}};
  call.timeout = std::chrono::minutes(5);
  return call_as_admin(invocation, waiting(invocation, std::move(call)),
                       [&](const json::value& erased) { show_erasure(invocation, erased); });
}

void add_user_put(CLI::App& user, Invocation& invocation) {
  const auto options = std::make_shared<UserOptions>();
  auto* app = add_named(
      user, invocation,
      {"put", "Make a user, or replace one", "latchkey user put alice --plan pro", "id", "The user's id", true},
      [&invocation, options](const std::string& id) { return put_user(invocation, *options, id); });
  app->add_option("--plan", options->plan, "The plan of all keys of the user that name none")->type_name("NAME");
  add_limit_options(*app, options->limits);
  app->add_flag("--replace", options->replace, "The user is there already");
}

}  // namespace

void add_user(CLI::App& app, Invocation& invocation) {
  auto* user = app.add_subcommand("user", "See and change what holds for all keys of a user");
  user->require_subcommand(1);
  user->footer("latchkey user put alice --plan pro\nlatchkey user disable alice --yes --wait");
  add_named(*user, invocation, {"list", "List users", "latchkey user list -o json", "", ""},
            [&invocation](const std::string&) { return list_named(invocation, users); });
  add_named(*user, invocation, {"show", "Show one user", "latchkey user show alice", "id", "The user's id"},
            [&invocation](const std::string& id) { return show_named(invocation, users, id); });
  add_user_put(*user, invocation);
  add_yes_flag(*add_named(*user, invocation,
                          {"disable", "Refuse all access keys of a user", "latchkey user disable alice --yes --wait",
                           "id", "The user's id", true},
                          [&invocation](const std::string& id) { return disable_user(invocation, id); }),
               invocation);
  add_named(
      *user, invocation,
      {"enable", "Let the access keys of a user in again", "latchkey user enable alice", "id", "The user's id", true},
      [&invocation](const std::string& id) { return enable_user(invocation, id); });
  add_yes_flag(*add_named(*user, invocation,
                          {"delete", "Delete a user's row; the keys stay", "latchkey user delete alice --yes", "id",
                           "The user's id", true},
                          [&invocation](const std::string& id) {
                            return delete_named(invocation, users, id, fmt::format("Delete user {}?", id));
                          }),
               invocation);
  add_yes_flag(*add_named(*user, invocation,
                          {"erase", "Forget a person: delete the keys, and put a pseudonym where the id was",
                           "latchkey user erase alice --yes", "id", "The user's id", true},
                          [&invocation](const std::string& id) { return erase_user(invocation, id); }),
               invocation);
}

}  // namespace latchkey::cli
