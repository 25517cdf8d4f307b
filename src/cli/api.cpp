#include "cli/api.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <boost/json/serialize.hpp>

#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "admin_identity/dev_admin_token.hpp"
#include "cli/bearer.hpp"
#include "cli/enforcement.hpp"
#include "cli/exact_json.hpp"
#include "cli/terminal_text.hpp"
#include "data_dir/data_dir.hpp"

namespace latchkey::cli {
namespace {

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string text_member(const json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

/// What is wrong with each member, or empty.
std::string field_errors(const json::object& problem) {
  std::string sentence;
  const auto* errors = problem.if_contains("errors");
  if (errors == nullptr || !errors->is_array()) return sentence;
  for (const auto& error : errors->as_array()) {
    if (!error.is_object()) continue;
    const auto pointer = text_member(error.as_object(), "pointer");  // empty: the whole body
    sentence += fmt::format("{}{}{}{}", sentence.empty() ? "" : "; ", pointer, pointer.empty() ? "" : ": ",
                            text_member(error.as_object(), "detail"));
  }
  return sentence;
}

bool is_default(const config::ResolvedSettings& resolved, std::string_view setting) {
  const auto origin = resolved.origins.find(std::string(setting));
  return origin == resolved.origins.end() || origin->second == "default";
}

Error no_service_on(const std::filesystem::path& data_dir) {
  std::error_code ec;
  const auto absolute = std::filesystem::absolute(data_dir, ec);
  return Error(ErrorCode::unavailable,
               fmt::format("no service runs on the data directory {}: start one with `latchkey up`, name another with "
                           "--data-dir, or say where it is with LATCHKEY_URL=http://HOST:PORT or unix:/path",
                           (ec ? data_dir : absolute.lexically_normal()).string()));
}

/// Of keys_listen, which is a list: "127.0.0.1:7070, unix:/run/keys.sock?mode=0660".
std::string first_url(const config::Settings& settings) {
  std::string first = settings.keys_listen.substr(0, settings.keys_listen.find(','));
  while (first.ends_with(' ')) first.pop_back();
  if (first.starts_with("unix:")) return first.substr(0, first.find('?'));
  return (settings.tls_cert.empty() ? "http://" : "https://") + first;
}

/// A user and a password are no part of it: they would stand in messages, and the service reads none.
bool is_service_url(std::string_view url) {
  if (url.starts_with("unix:")) return url.starts_with("unix:/");
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!url.starts_with(scheme)) continue;
    const std::string_view authority = url.substr(scheme.size(), url.find('/', scheme.size()) - scheme.size());
    return !authority.empty() && !authority.contains('@');
  }
  return false;
}

std::string body_of(const ApiCall& call) {
  auto members = members_of(json::serialize(*call.body));
  members.insert(members.end(), call.exact.begin(), call.exact.end());
  return object_of(members);
}

}  // namespace

int call_at(const ServiceAddress& service, const Secret& bearer, const ApiCall& call,
            const std::function<void(const json::value&)>& show) {
  http_client::HttpRequest request{call.method,  http_client::target_at(service.url, call.path),
                                   bearer,       call.headers,
                                   std::nullopt, service.certificate};
  if (call.body) request.body = body_of(call);
  if (request.body && !parse_json(*request.body)) return complain(Error(ErrorCode::invalid, "arguments must be UTF-8"));
  auto reply = send(request, call.timeout);
  if (reply && reply->status == 404 && !call.make_where_missing.empty()) {
    const http_client::HttpRequest make{"PUT",  http_client::target_at(service.url, call.make_where_missing),
                                        bearer, {"If-None-Match: *"},
                                        "{}",   service.certificate};
    const auto made = send(make, call.timeout);
    if (made && made->status > 299 && made->status != 412) return complain(*made);
    reply = send(request, call.timeout);
  }
  if (!reply) return complain(reply.error());
  if (reply->status < 200 || reply->status > 299) return complain(*reply);
  const auto parsed = reply->body.empty() ? Result<json::value>(json::value(nullptr)) : parse_exactly(reply->body);
  if (!parsed) return complain(Error(ErrorCode::unavailable, "the service's answer is not JSON: is the URL right?"));
  show(*parsed);
  return tell_enforcement(*reply, *parsed);
}

Result<ServiceAddress> management_address(const config::ResolvedSettings& resolved, BearerSource source) {
  const auto& settings = resolved.settings;
  if (std::string url = from_environment("LATCHKEY_URL"); !url.empty()) {
    while (url.ends_with('/')) url.pop_back();
    if (!is_service_url(url)) {
      return Error(ErrorCode::invalid, "LATCHKEY_URL is http://HOST:PORT, https://HOST:PORT or unix:/path");
    }
    return ServiceAddress{url, {}};
  }
  if (const auto url = data_dir::DataDir::at(settings.data_dir).published_url(data_dir::Service::keys)) {
    return ServiceAddress{*url, settings.tls_cert};
  }
  if (source == BearerSource::minted && is_default(resolved, "keys_listen")) return no_service_on(settings.data_dir);
  return ServiceAddress{first_url(settings), settings.tls_cert};
}

Result<AdminCredentials> admin_credentials(const Invocation& invocation, const config::Settings& settings) {
  if (!invocation.token_file.empty()) {
    auto token = read_bearer(invocation.token_file);
    if (!token) return token.error();
    return AdminCredentials{std::move(*token), BearerSource::given};
  }
  if (auto text = from_environment("LATCHKEY_ADMIN_TOKEN"); !text.empty()) {
    auto token = bearer_of(std::move(text), "LATCHKEY_ADMIN_TOKEN");
    if (!token) return token.error();
    return AdminCredentials{std::move(*token), BearerSource::given};
  }
  if (const auto others = admin_identity::other_admin_keys(settings); !others.empty()) {
    return Error(ErrorCode::not_found,
                 fmt::format("no admin token: the service judges them by {}; set LATCHKEY_ADMIN_TOKEN or give "
                             "--token-file with one that is signed by it",
                             others));
  }
  auto key = data_dir::DataDir::at(settings.data_dir).load_admin_key();
  if (!key && key.error().code == ErrorCode::not_found) {
    return Error(ErrorCode::not_found,
                 fmt::format("no admin token: set LATCHKEY_ADMIN_TOKEN, give --token-file, or name the data directory "
                             "with --data-dir (there is no {})",
                             data_dir::DataDir::at(settings.data_dir).admin_key().string()));
  }
  if (!key) return key.error();
  return AdminCredentials{
      admin_identity::mint_dev_admin_token({"cli", jwt::AdminRole::admin, std::chrono::minutes(5)}, *key),
      BearerSource::minted};
}

std::string sentence_of_problem(int status, std::string_view body) {
  const auto parsed = parse_json(body);
  if (!parsed || !parsed->is_object()) return fmt::format("the service answered with status {}", status);
  const auto& problem = parsed->as_object();
  std::string sentence = field_errors(problem);
  if (sentence.empty()) sentence = text_member(problem, "detail");
  if (sentence.empty()) sentence = text_member(problem, "title");
  return fmt::format("{} ({})", sentence.empty() ? "refused" : escape_for_terminal(sentence), status);
}

int complain(const http_client::HttpReply& reply) {
  fmt::print(stderr, "latchkey: {}\n", sentence_of_problem(reply.status, reply.body));
  return reply.status == 401 || reply.status == 403 ? exit_not_authorised : exit_failed;
}

int call_with(const Invocation& invocation, const Secret& bearer, const ApiCall& call,
              const std::function<void(const json::value&)>& show) {
  const auto resolved = invocation.settings();
  if (!resolved) return complain(resolved.error());
  const auto service = management_address(*resolved, BearerSource::given);
  if (!service) return complain(service.error());
  return call_at(*service, bearer, call, show);
}

int as_admin(const Invocation& invocation, const std::function<int(const ServiceAddress&, const Secret&)>& act) {
  const auto resolved = invocation.settings();
  if (!resolved) return complain(resolved.error());
  const auto admin = admin_credentials(invocation, resolved->settings);
  if (!admin) return complain(admin.error()), exit_not_authorised;
  const auto service = management_address(*resolved, admin->source);
  if (!service) return complain(service.error());
  const int code = act(*service, admin->token);
  if (code == exit_not_authorised && admin->source == BearerSource::minted) {
    fmt::print(stderr,
               "The token was minted by {}; a service with admin keys of its own wants one of theirs, by "
               "LATCHKEY_ADMIN_TOKEN or --token-file.\n",
               data_dir::DataDir::at(resolved->settings.data_dir).admin_key().string());
  }
  return code;
}

int call_as_admin(const Invocation& invocation, const ApiCall& call,
                  const std::function<void(const json::value&)>& show) {
  return as_admin(invocation, [&](const ServiceAddress& service, const Secret& token) {
    return call_at(service, token, call, show);
  });
}

std::optional<int> ask(const Invocation& invocation, std::string_view question) {
  if (invocation.yes) return std::nullopt;
  if (::isatty(STDIN_FILENO) == 0) {
    fmt::print(stderr, "latchkey: {} Say --yes where nobody can be asked.\n", question);
    return exit_usage;
  }
  fmt::print(stderr, "{} [y/N] ", question);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return std::nullopt;
  fmt::print(stderr, "Nothing was changed.\n");
  return exit_failed;
}

}  // namespace latchkey::cli
