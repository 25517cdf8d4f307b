#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "admin_identity/dev_admin_token.hpp"
#include "base/log.hpp"
#include "cli/invocation.hpp"
#include "cli/output.hpp"
#include "http_client/http_client.hpp"
#include "supervise/supervisor.hpp"

namespace latchkey::cli {
namespace {

std::string shell_word(const std::string& text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+=,";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// How another shell, anywhere, starts this program: by name if it was found by name, else by its whole path.
std::string command_word(const std::string& program) {
  if (program.find('/') == std::string::npos) return program;
  std::error_code ec;
  const auto path = std::filesystem::absolute(program, ec);
  return shell_word(ec ? program : path.lexically_normal().string());
}

/// With the development key everything works when pasted; where other keys are trusted, a person has the token.
std::string admin_words(const config::Settings& settings, const Secret& token) {
  const auto others = admin_identity::other_admin_keys(settings);
  if (others.empty()) return fmt::format("Admin token (12 h)     {}\n", token.reveal());
  return fmt::format("Admin tokens           judged by {}\n", others);
}

std::string admin_export(const config::Settings& settings) {
  return admin_identity::other_admin_keys(settings).empty()
             ? ""
             : "  export LATCHKEY_ADMIN_TOKEN=...  # one of yours, of role admin\n";
}

/// A line each. Those of TCP, which a browser may open, as `say` puts it.
std::string address_lines(const std::vector<std::string>& urls, std::string (*say)(const std::string& url)) {
  std::string lines;
  for (const auto& url : urls) {
    lines += fmt::format("{}{}\n", lines.empty() ? "" : "                       ",
                         url.starts_with("unix:") ? url : say(url));
  }
  return lines;
}

std::string console_and_docs(const std::string& url) {
  return fmt::format("{0}/  the console; {0}/docs describes the API", url);
}

std::string docs_page(const std::string& url) { return url + "/docs"; }

/// Arguments of curl for a path of the service: over TCP where it listens there.
std::string curl_target(const std::vector<std::string>& urls, std::string_view path) {
  const auto tcp = std::find_if(urls.begin(), urls.end(), [](const auto& url) { return !url.starts_with("unix:"); });
  const auto target = http_client::target_at(tcp != urls.end() ? *tcp
                                             : urls.empty()    ? std::string()
                                                               : urls.front(),
                                             path);
  return (target.unix_socket.empty() ? "" : "--unix-socket " + shell_word(target.unix_socket) + " ") + target.url;
}

void print_tour(const std::string& program, const config::Settings& settings, const data_dir::DataDir& data,
                const Secret& token) {
  const std::string command = command_word(program);
  const auto tokens = data.published_urls(data_dir::Service::tokens);
  fmt::print(R"tour(Access Key Management  {keys}Token Information      {tokens}{admin}
A tour, to paste into another terminal:

  export LATCHKEY_DATA_DIR={dir}
{export}  KEY=$({command} key create --user alice --requests-per-minute 60 --expires 30d --wait --quiet)
  curl -s -H "Authorization: Bearer $KEY" {ask}
  export LATCHKEY_ACCESS_KEY="$KEY"
  {command} plan
  {command} key disable "$({command} plan --quiet)" --yes --wait
  curl -s -i -H "Authorization: Bearer $KEY" {ask}

The last answer is the refusal. Ctrl-C stops both services.
)tour",
             fmt::arg("keys", address_lines(data.published_urls(data_dir::Service::keys), console_and_docs)),
             fmt::arg("tokens", address_lines(tokens, docs_page)), fmt::arg("ask", curl_target(tokens, "/v1/tokens")),
             fmt::arg("admin", admin_words(settings, token)), fmt::arg("export", admin_export(settings)),
             fmt::arg("dir", shell_word(data.path().string())), fmt::arg("command", command));
  if (const auto written = flush_output(); !written) {
    log_warning("addresses and token could not be written to standard output: {}", written.error().detail);
  }
}

/// Refuses where a service runs that was started without `up`: its children could not start, and what it published
/// would be taken for theirs.
Result<void> check_unclaimed(const data_dir::DataDir& data) {
  for (const auto service : {data_dir::Service::keys, data_dir::Service::tokens}) {
    if (!data.ever_ran(service)) continue;  // nor does it run now; and to claim it would look as if it had
    if (const auto claimed = data.claim(service); !claimed) return claimed.error();
  }
  return {};
}

/// Empty where it would be refused; then no development key is made either.
Result<Secret> tour_token(const config::Settings& settings, const data_dir::DataDir& data) {
  if (!admin_identity::other_admin_keys(settings).empty()) return Secret();
  const auto key = data.load_or_create_admin_key();
  if (!key) return key.error();
  return admin_identity::mint_dev_admin_token({"up", jwt::AdminRole::admin, std::chrono::hours(12)}, *key);
}

int up(const Invocation& invocation) {
  const auto resolved = invocation.settings();
  if (!resolved) return complain(resolved.error());
  config::Settings settings = resolved->settings;
  if (const auto valid = check_configuration(invocation, *resolved); !valid) return complain(valid.error());
  const auto data = data_dir::DataDir::open_or_create(settings.data_dir);
  if (!data) return complain(data.error());
  settings.data_dir = data->path().string();
  const auto lock = data->lock("up");
  if (!lock) return complain(lock.error());
  if (const auto unclaimed = check_unclaimed(*data); !unclaimed) return complain(unclaimed.error());
  const auto token = tour_token(settings, *data);
  if (!token) return complain(token.error());
  supervise::Supervisor supervisor(invocation.program, settings, *data);
  return supervisor.run([&] { print_tour(invocation.program, settings, *data, *token); });
}

}  // namespace

void add_up(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("up", "Run both services here, each its own process");
  command->footer("latchkey up\nlatchkey up --keys-listen 127.0.0.1:8080 --data-dir /var/lib/latchkey");
  add_setting_flags(*command, invocation);
  command->callback([&invocation] { invocation.command = [&invocation] { return up(invocation); }; });
}

}  // namespace latchkey::cli
