#pragma once

// `latchkey key …`, one file a subcommand, and what they share.

#include "cli/api.hpp"
#include "cli/render.hpp"

namespace latchkey::cli {

void add_key_create(CLI::App& key, Invocation& invocation);
void add_key_list(CLI::App& key, Invocation& invocation);
void add_key_show(CLI::App& key, Invocation& invocation);
void add_key_update(CLI::App& key, Invocation& invocation);
void add_key_disable(CLI::App& key, Invocation& invocation);
void add_key_enable(CLI::App& key, Invocation& invocation);
void add_key_rotate(CLI::App& key, Invocation& invocation);
void add_key_delete(CLI::App& key, Invocation& invocation);
void add_key_purge(CLI::App& key, Invocation& invocation);
void add_key_export(CLI::App& key, Invocation& invocation);
void add_key_identify(CLI::App& key, Invocation& invocation);
void add_key_verify_offline(CLI::App& key, Invocation& invocation);

/// "/v1/keys/<id>", whatever the id is.
inline std::string key_path(const std::string& id) { return "/v1/keys/" + http_client::url_escape(id); }

/// `--label team=billing`, several: {"team": "billing"}. ErrorCode::invalid names the flag and the text that is wrong.
Result<json::object> labels_of(const std::vector<std::string>& texts);

/// A key in the chosen form.
void show_key(const Invocation& invocation, const json::value& key);
/// {accessKey, key}: the one time the access key is seen.
void show_issued(const Invocation& invocation, const json::value& issued);
void print_json(const json::value& value);

}  // namespace latchkey::cli
