#pragma once

// The management service as the commands see it: its address, our token, one call, one sentence when it says no.

#include <functional>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "base/json_text.hpp"
#include "base/secret.hpp"
#include "cli/invocation.hpp"
#include "http_client/http_client.hpp"

namespace latchkey::cli {

struct ApiCall {
  std::string method = "GET";
  std::string path;  // "/v1/keys?limit=5"
  std::optional<json::object> body;
  std::vector<std::string> headers{};
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
  std::string make_where_missing{};  // where the answer is 404: this row is PUT first, empty, and the call made again
  std::vector<JsonMember> exact{};   // more members of the body: numbers in them go out as they were given
};

/// Where a bearer comes from: a person gave it, or it was minted by the data directory's development key.
enum class BearerSource : std::uint8_t { given, minted };

struct ServiceAddress {
  std::string url;
  std::string certificate;  // of the service itself, where it is ours: see HttpRequest
};

/// LATCHKEY_URL, else what the running service published in the data directory, else keys_listen. Its default does not
/// do for a minted token: nobody chose to send it there, and whatever listens there may not be Latchkey.
Result<ServiceAddress> management_address(const config::ResolvedSettings& resolved, BearerSource source);

struct AdminCredentials {
  Secret token;
  BearerSource source = BearerSource::given;
};

/// --token-file, else LATCHKEY_ADMIN_TOKEN, else a token of a few minutes by the data directory's development key.
Result<AdminCredentials> admin_credentials(const Invocation& invocation, const config::Settings& settings);

/// Finds URL and token and acts with them; the exit code of that, or of what could not be found.
int as_admin(const Invocation& invocation, const std::function<int(const ServiceAddress&, const Secret& token)>& act);

/// One call; hands a good answer's JSON (null for 204) to `show`. Returns the exit code.
int call_at(const ServiceAddress& service, const Secret& bearer, const ApiCall& call,
            const std::function<void(const json::value&)>& show);

/// Calls as an admin and hands a good answer's JSON (null for 204) to `show`. Returns the exit code.
int call_as_admin(const Invocation& invocation, const ApiCall& call,
                  const std::function<void(const json::value&)>& show);

/// The same with other credentials.
int call_with(const Invocation& invocation, const Secret& bearer, const ApiCall& call,
              const std::function<void(const json::value&)>& show);

/// Says on stderr what a refusing answer means; the exit code for it.
int complain(const http_client::HttpReply& reply);

/// A problem document (RFC 9457) as one sentence, its field errors included; harmless on a terminal.
std::string sentence_of_problem(int status, std::string_view body);

/// Goes on if --yes was given or a person at the terminal says so; otherwise the exit code to end with.
std::optional<int> ask(const Invocation& invocation, std::string_view question);

}  // namespace latchkey::cli
