#include "cli/api.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <boost/json/serialize.hpp>

#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "cli/data_dir.hpp"
#include "cli/dev_admin_token.hpp"
#include "cli/small_file.hpp"
#include "cli/terminal_text.hpp"

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

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

void append_field_errors(std::string& sentence, const json::object& problem) {
  const auto* errors = problem.if_contains("errors");
  if (errors == nullptr || !errors->is_array()) return;
  for (const auto& error : errors->as_array()) {
    if (!error.is_object()) continue;
    sentence +=
        fmt::format("; {}: {}", text_member(error.as_object(), "pointer"), text_member(error.as_object(), "detail"));
  }
}

}  // namespace

std::string management_url(const Settings& settings) {
  std::string url = from_environment("LATCHKEY_URL");
  if (url.empty()) url = DataDir::at(settings.data_dir).published_url(Service::keys).value_or("");
  if (url.empty()) url = "http://" + settings.keys_listen;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Result<Secret> admin_credentials(const Invocation& invocation, const Settings& settings) {
  if (!invocation.token_file.empty()) {
    auto text = invocation.token_file == "-" ? read_stdin() : read_small_file(invocation.token_file);
    if (!text) return text.error();
    return Secret(without_line_end(*text));
  }
  if (auto token = from_environment("LATCHKEY_ADMIN_TOKEN"); !token.empty()) return Secret(without_line_end(token));
  auto key = DataDir::at(settings.data_dir).load_admin_key();
  if (!key && key.error().code == ErrorCode::not_found) {
    return Error(ErrorCode::not_found,
                 fmt::format("no admin token: set LATCHKEY_ADMIN_TOKEN, give --token-file, or name the data directory "
                             "with --data-dir (there is no {})",
                             DataDir::at(settings.data_dir).admin_key().string()));
  }
  if (!key) return key.error();
  return mint_dev_admin_token({"cli", jwt::AdminRole::admin, std::chrono::minutes(5)}, *key);
}

std::string sentence_of_problem(int status, std::string_view body) {
  const auto parsed = parse_json(body);
  if (!parsed || !parsed->is_object()) return fmt::format("the service answered with status {}", status);
  const auto& problem = parsed->as_object();
  std::string sentence = text_member(problem, "detail");
  if (sentence.empty()) sentence = text_member(problem, "title");
  append_field_errors(sentence, problem);
  return fmt::format("{} ({})", sentence.empty() ? "refused" : harmless(sentence), status);
}

int complain(const HttpReply& reply) {
  fmt::print(stderr, "latchkey: {}\n", sentence_of_problem(reply.status, reply.body));
  return reply.status == 401 || reply.status == 403 ? exit_not_authorised : exit_failed;
}

int call_with(const Invocation& invocation, const Secret& bearer, const ApiCall& call,
              const std::function<void(const json::value&)>& show) {
  const auto resolved = invocation.settings();
  if (!resolved) return complain(resolved.error());
  HttpRequest request{call.method, management_url(resolved->settings) + call.path, bearer, call.headers, std::nullopt};
  if (call.body) request.body = json::serialize(*call.body);
  const auto reply = send(request);
  if (!reply) return complain(reply.error());
  if (reply->status < 200 || reply->status > 299) return complain(*reply);
  const auto parsed = reply->body.empty() ? Result<json::value>(json::value(nullptr)) : parse_json(reply->body);
  if (!parsed) return complain(Error(ErrorCode::unavailable, "the service's answer is not JSON: is the URL right?"));
  show(*parsed);
  return exit_done;
}

int call_as_admin(const Invocation& invocation, const ApiCall& call,
                  const std::function<void(const json::value&)>& show) {
  const auto resolved = invocation.settings();
  if (!resolved) return complain(resolved.error());
  const auto token = admin_credentials(invocation, resolved->settings);
  if (!token) return complain(token.error()), exit_not_authorised;
  return call_with(invocation, *token, call, show);
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
