#include <fmt/format.h>

#include <memory>

#include "base/shown.hpp"
#include "cli/enforcement.hpp"
#include "cli/expires.hpp"
#include "cli/key_commands.hpp"
#include "cli/key_id_argument.hpp"
#include "cli/limit_options.hpp"

namespace latchkey::cli {
namespace {

struct KeyUpdateOptions {
  std::string id, expires;
  LimitOptions limits;
  AccessOptions access;
  bool unlimited = false;
  std::optional<std::string> name, plan;
  std::vector<std::string> labels;
};

/// The body is a merge patch, so that labels which are not named stay.
const std::string merge_patch = "Content-Type: application/merge-patch+json";

/// `team=x` sets, `team-` removes.
Result<json::object> label_changes_of(const std::vector<std::string>& texts) {
  json::object changes;
  std::vector<std::string> set;
  for (const auto& text : texts) {
    if (text.ends_with('-') && !text.contains('=')) {
      changes[text.substr(0, text.size() - 1)] = nullptr;
    } else {
      set.push_back(text);
    }
  }
  auto labels = labels_of(set);
  if (!labels) return labels;
  for (const auto& [name, value] : *labels) {
    if (!changes.emplace(name, value).second) {
      return Error(ErrorCode::invalid, fmt::format("--label: {} is both set and removed", shown(name)));
    }
  }
  return changes;
}

int update(const Invocation& invocation, KeyUpdateOptions& options) {
  json::object body;
  if (const auto put = put_key_limits(body, options.limits, options.unlimited); !put) return complain(put.error());
  put_access(body, options.access);
  if (options.name) body["name"] = *options.name;
  if (options.plan) body["plan"] = options.plan->empty() ? json::value(nullptr) : json::value(*options.plan);
  if (!options.labels.empty()) {
    const auto labels = label_changes_of(options.labels);
    if (!labels) return complain(labels.error());
    body["labels"] = *labels;
  }
  if (!options.expires.empty()) {
    const auto added = add_expiry(body, options.expires, SystemClock().wall(), DurationAs::time);
    if (!added) return complain(added.error());
  }
  if (body.empty()) return complain(Error(ErrorCode::invalid, "nothing to update: see latchkey key update --help"));
  if (const auto end = complete_key_id(invocation, options.id)) return *end;
  return call_as_admin(invocation, waiting(invocation, {"PATCH", key_path(options.id), std::move(body), {merge_patch}}),
                       [&](const json::value& key) { show_key(invocation, key); });
}

}  // namespace

void add_key_update(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("update", "Change a key's plan or name");
  app->footer("latchkey key update ID --requests-per-minute 120 --expires never");
  const auto options = std::make_shared<KeyUpdateOptions>();
  app->add_option("id", options->id, "The key's id")->required()->type_name("ID");
  add_limit_options(*app, options->limits);
  add_unlimited_flag(*app, options->unlimited);
  add_access_options(*app, options->access);
  app->add_option("--plan", options->plan, "The plan that gives the limits; an empty name: none")->type_name("NAME");
  app->add_option("--expires", options->expires, "30d from now, an RFC 3339 time, or never")->type_name("WHEN");
  app->add_option("--name", options->name, "A name for people")->type_name("TEXT");
  app->add_option("--label", options->labels, "NAME=VALUE sets a label, NAME- removes it; may come several times")
      ->type_name("NAME=VALUE");
  add_wait_flags(*app, invocation);
  add_client_flags(*app, invocation);
  app->callback(
      [&invocation, options] { invocation.command = [&invocation, options] { return update(invocation, *options); }; });
}

}  // namespace latchkey::cli
