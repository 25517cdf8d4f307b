#pragma once

// The management service as the commands see it: where it is, who we are, one call, one sentence when it says no.

#include <functional>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "base/secret.hpp"
#include "cli/http_client.hpp"
#include "cli/invocation.hpp"

namespace latchkey::cli {

struct ApiCall {
  std::string method = "GET";
  std::string path;  // "/v1/keys?limit=5"
  std::optional<json::object> body;
  std::vector<std::string> headers;
};

/// LATCHKEY_URL, else what the running service published in the data directory, else the default address.
std::string management_url(const Settings& settings);

/// --token-file, else LATCHKEY_ADMIN_TOKEN, else a token of a few minutes by the data directory's development key.
Result<Secret> admin_credentials(const Invocation& invocation, const Settings& settings);

/// Calls as an admin and hands a good answer's JSON (null for 204) to `show`. Returns the exit code.
int call_as_admin(const Invocation& invocation, const ApiCall& call,
                  const std::function<void(const json::value&)>& show);

/// The same with other credentials.
int call_with(const Invocation& invocation, const Secret& bearer, const ApiCall& call,
              const std::function<void(const json::value&)>& show);

/// Says on stderr what a refusing answer means; the exit code for it.
int complain(const HttpReply& reply);

/// A problem document (RFC 9457) as one sentence, its field errors included; harmless on a terminal.
std::string sentence_of_problem(int status, std::string_view body);

/// Goes on if --yes was given or a person at the terminal says so; otherwise the exit code to end with.
std::optional<int> ask(const Invocation& invocation, std::string_view question);

}  // namespace latchkey::cli
