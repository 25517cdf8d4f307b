#include <memory>

#include "cli/enforcement.hpp"
#include "cli/expires.hpp"
#include "cli/key_commands.hpp"
#include "cli/key_import.hpp"
#include "cli/limit_options.hpp"

namespace latchkey::cli {
namespace {

struct KeyCreateOptions {
  std::string user;
  LimitOptions limits;
  AccessOptions access;
  bool unlimited = false;
  std::string plan, expires, name, metadata, idempotency_key;
  std::vector<std::string> labels;
  std::string from, output;
};

int create(const Invocation& invocation, const KeyCreateOptions& options) {
  if (!options.from.empty()) return import_keys(invocation, options.from, options.output);
  if (options.user.empty())
    return complain(Error(ErrorCode::invalid, "--user is required, or --from with a file of keys"));
  ApiCall call{"POST", "/v1/keys", json::object{}, {}};
  (*call.body)["userId"] = options.user;
  if (const auto put = put_key_limits(*call.body, options.limits, options.unlimited); !put)
    return complain(put.error());
  put_access(*call.body, options.access);
  if (!options.plan.empty()) (*call.body)["plan"] = options.plan;
  if (!options.name.empty()) (*call.body)["name"] = options.name;
  if (!options.labels.empty()) {
    const auto labels = labels_of(options.labels);
    if (!labels) return complain(labels.error());
    (*call.body)["labels"] = *labels;
  }
  if (!options.expires.empty()) {
    const auto added = add_expiry(*call.body, options.expires, SystemClock().wall(), DurationAs::duration);
    if (!added) return complain(added.error());
  }
  if (!options.metadata.empty()) {
    const auto metadata = parse_json(options.metadata);
    if (!metadata) return complain(Error(ErrorCode::invalid, "--metadata: " + metadata.error().detail));
    call.exact.push_back({"metadata", compact_json(options.metadata)});
  }
  if (!options.idempotency_key.empty()) call.headers.push_back("Idempotency-Key: " + options.idempotency_key);
  return call_as_admin(invocation, waiting(invocation, call),
                       [&](const json::value& issued) { show_issued(invocation, issued); });
}

}  // namespace

void add_key_create(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("create", "Issue an access key; it is shown once");
  app->footer(
      "latchkey key create --user alice --requests-per-minute 60 --expires 30d\n"
      "KEY=$(latchkey key create --user alice --requests-per-minute 60 --quiet)\n"
      "latchkey key create --from keys.csv --issued issued.jsonl");
  const auto options = std::make_shared<KeyCreateOptions>();
  auto* user = app->add_option("--user", options->user, "Whose key")->type_name("ID");
  app->add_option("--from", options->from,
                  "Many keys: a file .jsonl, one body a line, or .csv with a heading; each once")
      ->excludes(user)
      ->type_name("FILE");
  app->add_option("--issued", options->output, "With --from: where the access keys go; what is there is passed over")
      ->type_name("FILE");
  add_limit_options(*app, options->limits);
  add_unlimited_flag(*app, options->unlimited);
  add_access_options(*app, options->access);
  app->add_option("--plan", options->plan, "The plan that gives the limits")->type_name("NAME");
  app->add_option("--expires", options->expires, "30d, 12h, an RFC 3339 time, or never")->type_name("WHEN");
  app->add_option("--name", options->name, "A name for people")->type_name("TEXT");
  app->add_option("--label", options->labels, "To sort and select keys by; may come several times")
      ->type_name("NAME=VALUE");
  app->add_option("--metadata", options->metadata, "A JSON object")->type_name("JSON");
  app->add_option("--idempotency-key", options->idempotency_key, "Repeating the same request creates no second key")
      ->type_name("TEXT");
  add_wait_flags(*app, invocation);
  add_client_flags(*app, invocation);
  app->callback(
      [&invocation, options] { invocation.command = [&invocation, options] { return create(invocation, *options); }; });
}

}  // namespace latchkey::cli
