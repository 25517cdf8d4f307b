#include <fmt/format.h>

#include <array>

#include "cli/named_rows.hpp"

namespace latchkey::cli {
namespace {

constexpr std::array plan_columns{Column{"PLAN", "name"}, Column{"DESCRIPTION", "description"}, Column{"KEYS", "keys"},
                                  Column{"UPDATED", "updatedAt"}, Column{"BY", "updatedBy"}};
constexpr NamedRows plans{"/v1/plans", "plans", "name", plan_columns};

struct PlanOptions {
  std::string description;
  LimitOptions limits;
  AccessOptions access;
  bool replace = false, dry_run = false;
};

int put_plan(const Invocation& invocation, const PlanOptions& options, const std::string& name) {
  auto limits = limits_of(options.limits);
  if (!limits) return complain(limits.error());
  json::object body{{"limits", std::move(*limits)}, {"description", options.description}};
  put_access(body, options.access);
  ApiCall call{"PUT", row_path(plans, name), std::move(body), put_headers(options.replace)};
  if (options.dry_run) {
    call.path += "?dryRun=true";
    return call_as_admin(invocation, call, [](const json::value& found) {
      const auto* object = found.if_object();
      const auto* keys = object == nullptr ? nullptr : object->if_contains("keys");
      if (keys != nullptr) fmt::print("{}\n", render_value(*keys));
    });
  }
  return call_as_admin(invocation, waiting(invocation, std::move(call)),
                       [&](const json::value& plan) { show_row(invocation, plans, plan); });
}

void add_plans_put(CLI::App& app, Invocation& invocation) {
  const auto options = std::make_shared<PlanOptions>();
  auto* put =
      add_named(app, invocation,
                {"put", "Make a plan, or replace one", "latchkey plans put pro --requests-per-minute 600", "name",
                 "The plan's name", true},
                [&invocation, options](const std::string& name) { return put_plan(invocation, *options, name); });
  add_limit_options(*put, options->limits);
  add_access_options(*put, options->access);
  put->add_option("--description", options->description, "For people")->type_name("TEXT");
  put->add_flag("--replace", options->replace, "The plan is there already");
  put->add_flag("--dry-run", options->dry_run, "Print for how many keys the plan is in force, and change nothing");
}

}  // namespace

void add_plans(CLI::App& app, Invocation& invocation) {
  auto* group = app.add_subcommand("plans", "See and change plans, which keys and users refer to");
  group->require_subcommand(1);
  group->footer("latchkey plans put pro --requests-per-minute 600\nlatchkey plans list");
  add_named(*group, invocation, {"list", "List plans", "latchkey plans list -o json", "", ""},
            [&invocation](const std::string&) { return list_named(invocation, plans); });
  add_named(*group, invocation, {"show", "Show one plan", "latchkey plans show pro", "name", "The plan's name"},
            [&invocation](const std::string& name) { return show_named(invocation, plans, name); });
  add_plans_put(*group, invocation);
  add_yes_flag(*add_named(*group, invocation,
                          {"delete", "Delete a plan that nothing refers to", "latchkey plans delete pro --yes", "name",
                           "The plan's name", true},
                          [&invocation](const std::string& name) {
                            return delete_named(invocation, plans, name, fmt::format("Delete plan {}?", name));
                          }),
               invocation);
}

}  // namespace latchkey::cli
