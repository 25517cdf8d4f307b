#include "cli/admin_verifier.hpp"

#include "cli/small_file.hpp"

namespace latchkey::cli {
namespace {

Error naming(const std::string& file, Error error) {
  error.detail = file + ": " + error.detail;
  return error;
}

Result<void> add_configured_keys(jwt::AdminVerifier& verifier, const Settings& settings) {
  if (!settings.admin_keys.empty()) {
    auto text = read_small_file(settings.admin_keys, Links::follow);
    if (!text) return text.error();
    if (auto added = verifier.add_public_keys(*text); !added) return naming(settings.admin_keys, added.error());
  }
  if (!settings.admin_secret_file.empty()) {
    auto text = read_small_file(settings.admin_secret_file, Links::follow);
    if (!text) return text.error();
    // A public key as an HS256 secret would let all who have it, and it is public, sign admin tokens (RFC 8725, 3.1).
    if (text->find("-----BEGIN") != std::string::npos) {
      return naming(settings.admin_secret_file, Error(ErrorCode::invalid,
                                                      "is a PEM file, not a secret; public keys are "
                                                      "for admin_keys"));
    }
    // Editors and `echo` end a file with a line break, which nobody means as part of the secret.
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
    if (auto added = verifier.add_shared_secret(Secret(std::move(*text))); !added) {
      return naming(settings.admin_secret_file, added.error());
    }
  }
  return {};
}

std::string or_else(const std::string& configured, std::string_view fallback) {
  return configured.empty() ? std::string(fallback) : configured;
}

}  // namespace

Result<void> check_admin_keys(const Settings& settings) {
  jwt::AdminVerifier unused({});
  return add_configured_keys(unused, settings);
}

Result<jwt::AdminVerifier> admin_verifier(const Settings& settings, const DataDir& data) {
  if (!settings.admin_keys.empty() || !settings.admin_secret_file.empty()) {
    jwt::AdminVerifier verifier({settings.admin_issuer, settings.admin_audience});
    if (auto added = add_configured_keys(verifier, settings); !added) return added.error();
    return verifier;
  }
  auto key = data.load_or_create_admin_key();
  if (!key) return key.error();
  jwt::AdminVerifier verifier(
      {or_else(settings.admin_issuer, dev_admin_issuer), or_else(settings.admin_audience, dev_admin_audience)});
  if (auto added = verifier.add_public_key(key->public_key()); !added) return added.error();
  return verifier;
}

}  // namespace latchkey::cli
