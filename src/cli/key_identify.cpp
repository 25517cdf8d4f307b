#include <fmt/format.h>

#include <memory>

#include <array>
#include <boost/json/serialize.hpp>

#include "base/regular_file.hpp"
#include "base/time_text.hpp"
#include "cli/bearer.hpp"
#include "cli/enforcement.hpp"
#include "cli/key_commands.hpp"
#include "cli/terminal_text.hpp"
#include "jwt/access_key_set.hpp"

namespace latchkey::cli {
namespace {

constexpr std::size_t max_jwks_bytes = 1U << 20U;

struct IdentifyOptions {
  std::string file = "-";
  std::string jwks;
  bool disable = false;
};

Error not_ours() {
  return Error(ErrorCode::not_found, "this is no access key of this service: its signature is not by one of its keys");
}

/// The signing keys that the service publishes.
Result<jwt::AccessKeySet> published_keys(const ServiceAddress& service, const Secret& token, int& code) {
  Result<jwt::AccessKeySet> keys = Error(ErrorCode::unavailable, "the service publishes no keys");
  code = call_at(service, token, {"GET", "/.well-known/jwks.json", std::nullopt, {}},
                 [&](const json::value& body) { keys = jwt::read_access_key_set(json::serialize(body)); });
  return keys;
}

std::string identity_text(const json::value& key, std::string_view name) {
  const auto* value = key.is_object() ? key.as_object().if_contains(name) : nullptr;
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

/// Which issue of the key the token is, in words.
std::string issue_in_words(const jwt::AccessClaims& claims, const json::value& key) {
  if (identity_text(key, "userId") != claims.user_id) return "of another user: no issue of this key";
  if (identity_text(key, "issuedAt") == to_rfc3339({claims.issued_at.seconds * 1000})) return "the current one";
  const std::string until = identity_text(key, "previousValidUntil");
  return until.empty() ? "rotated out: it passes nowhere" : "an earlier one; the last before passes until " + until;
}

int show_identity(const Invocation& invocation, const jwt::AccessClaims& claims, const json::value& key) {
  const std::string issue = issue_in_words(claims, key);
  if (invocation.output == Output::json) {
    print_json(json::object{{"issue", issue}, {"key", key}});
  } else {
    show_key(invocation, key);
    if (!invocation.quiet) fmt::print("Issue  {}\n", escape_for_terminal(issue));
  }
  return exit_done;
}

int identify(const Invocation& invocation, const IdentifyOptions& options) {
  const auto presented = read_bearer(options.file);
  if (!presented) return complain(presented.error());
  return as_admin(invocation, [&](const ServiceAddress& service, const Secret& token) -> int {
    int code = exit_done;
    const auto keys = published_keys(service, token, code);
    if (code != exit_done) return code;
    if (!keys) return complain(keys.error());
    jwt::AccessClaims claims;
    // Without a good signature anybody could make us disable anybody's key.
    const auto genuine = jwt::judge(presented->reveal(), *keys, claims);
    if (genuine == jwt::Genuine::unknown_key) {
      return complain(Error(ErrorCode::not_found,
                            "it is signed by a key that is retired, or of another service: it passes nowhere"));
    }
    if (genuine != jwt::Genuine::yes) return complain(not_ours());
    const std::string path = key_path(claims.key_id.to_string());
    if (options.disable) {
      if (const auto end = ask(invocation, fmt::format("Disable access key {}?", claims.key_id.to_string())))
        return *end;
      return call_at(service, token, waiting(invocation, {"PATCH", path, json::object{{"disabled", true}}, {}}),
                     [&](const json::value& key) { show_identity(invocation, claims, key); });
    }
    return call_at(service, token, {"GET", path, std::nullopt, {}},
                   [&](const json::value& key) { show_identity(invocation, claims, key); });
  });
}

int verify_offline(const Invocation& invocation, const IdentifyOptions& options) {
  const auto text = read_regular(options.jwks, max_jwks_bytes, Links::follow);
  if (!text) return complain(text.error());
  const auto keys = jwt::read_access_key_set(*text);
  if (!keys)
    return complain(Error(ErrorCode::invalid, fmt::format("--jwks: {} {}", options.jwks, keys.error().detail)));
  const auto presented = read_bearer(options.file);
  if (!presented) return complain(presented.error());
  jwt::AccessClaims claims;
  const auto genuine = jwt::judge(presented->reveal(), *keys, claims);
  if (genuine == jwt::Genuine::no) return complain(not_ours());
  const bool known = genuine == jwt::Genuine::yes;
  const json::object found{{"genuine", known},
                           {"keyId", claims.key_id.to_string()},
                           {"userId", claims.user_id},
                           {"issuedAt", to_rfc3339({claims.issued_at.seconds * 1000})}};
  if (invocation.quiet) {
    fmt::print("{}\n", claims.key_id.to_string());
  } else if (invocation.output == Output::json) {
    print_json(found);
  } else {
    static constexpr std::array columns{Column{"Key id", "keyId"}, Column{"User", "userId"},
                                        Column{"Issued", "issuedAt"}};
    fmt::print("{}", render_details(found, columns));
  }
  if (known) return exit_done;
  return complain(
      Error(ErrorCode::not_found, "its signing key is not in the file: nothing says which service made it"));
}

void add_presented(CLI::App& app, IdentifyOptions& options) {
  app.add_option("--key-file", options.file, "The access key; - is standard input (-)")->type_name("FILE");
}

}  // namespace

void add_key_identify(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("identify", "Say which key an access key is, how it stands and what it may");
  app->footer("latchkey key identify <found.txt\nlatchkey key identify --disable --wait --yes <found.txt");
  const auto options = std::make_shared<IdentifyOptions>();
  add_presented(*app, *options);
  app->add_flag("--disable", options->disable, "And disable it");
  add_yes_flag(*app, invocation);
  add_wait_flags(*app, invocation);
  add_client_flags(*app, invocation);
  app->callback([&invocation, options] {
    invocation.command = [&invocation, options] { return identify(invocation, *options); };
  });
}

void add_key_verify_offline(CLI::App& key, Invocation& invocation) {
  auto* app = key.add_subcommand("verify-offline", "Tell an access key from noise, without any service");
  app->footer(
      "curl -s http://127.0.0.1:7070/.well-known/jwks.json >jwks.json\nlatchkey key verify-offline --jwks jwks.json "
      "<found.txt");
  const auto options = std::make_shared<IdentifyOptions>();
  app->add_option("--jwks", options->jwks, "The public signing keys, as /.well-known/jwks.json has them")
      ->required()
      ->type_name("FILE");
  add_presented(*app, *options);
  add_output_flags(*app, invocation);
  app->callback([&invocation, options] {
    invocation.command = [&invocation, options] { return verify_offline(invocation, *options); };
  });
}

}  // namespace latchkey::cli
