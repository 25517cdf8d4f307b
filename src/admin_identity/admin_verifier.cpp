#include "admin_identity/admin_verifier.hpp"

#include <fmt/format.h>

#include "admin_identity/provider_fetch.hpp"
#include "admin_identity/provider_url.hpp"
#include "base/log.hpp"
#include "base/shown.hpp"
#include "data_dir/small_file.hpp"

namespace latchkey::admin_identity {
namespace {

Error naming(const std::string& file, Error error) {
  error.detail = file + ": " + error.detail;
  return error;
}

bool has_file(const config::Settings& settings) {
  return !settings.admin_keys.empty() || !settings.admin_secret_file.empty();
}

const std::string& file_of(const config::Settings& settings) {
  return settings.admin_keys.empty() ? settings.admin_secret_file : settings.admin_keys;
}

// A provider that publishes a thousand odd keys is not given a thousand lines at each look.
void log_skipped(const std::string& file, const std::vector<jwt::SkippedKey>& skipped) {
  constexpr std::size_t most_named = 20;
  for (std::size_t i = 0; i < skipped.size() && i < most_named; ++i) {
    log_warning("admin keys: {}: {} is skipped: {}", file, skipped[i].name, skipped[i].reason);
  }
  if (skipped.size() > most_named) {
    log_warning("admin keys: {}: {} more keys are skipped", file, skipped.size() - most_named);
  }
}

Result<jwt::AdminKeys> public_keys(const config::Settings& settings, std::string_view text) {
  const auto rsa = settings.admin_algorithms.empty() ? jwt::default_rsa_algorithms
                                                     : jwt::parse_rsa_algorithms(settings.admin_algorithms).value();
  jwt::AdminKeys keys;
  const auto skipped = keys.add_public_keys(text, rsa);
  if (!skipped) return skipped.error();
  log_skipped(settings.admin_keys.empty() ? provider_name(settings) : settings.admin_keys, *skipped);
  return keys;
}

Result<jwt::AdminKeys> shared_secret(std::string_view text) {
  // A public key as an HS256 secret would let everybody sign admin tokens, since it is public (RFC 8725, 3.1).
  if (text.find("-----BEGIN") != std::string_view::npos) {
    return Error(ErrorCode::invalid, "is a PEM file, not a secret; public keys are for admin_keys");
  }
  // Editors and `echo` end a file with a line break, which nobody means as part of the secret.
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  jwt::AdminKeys keys;
  if (auto added = keys.add_shared_secret(Secret(std::string(text))); !added) return added.error();
  return keys;
}

Result<jwt::AdminKeys> keys_in(const config::Settings& settings, std::string_view text) {
  auto keys = settings.admin_keys.empty() ? shared_secret(text) : public_keys(settings, text);
  if (!keys) return naming(file_of(settings), keys.error());
  return keys;
}

Result<void> check_settings(const config::Settings& settings) {
  const auto is_set = [](const std::string& text) { return text.empty() ? 0 : 1; };
  if (is_set(settings.admin_keys) + is_set(settings.admin_secret_file) + is_set(settings.admin_oidc_issuer) +
          is_set(settings.admin_jwks_url) >
      1) {
    return Error(
        ErrorCode::invalid,
        "admin_keys, admin_secret_file, admin_oidc_issuer and admin_jwks_url exclude each other: set one of them");
  }
  if (has_provider(settings)) {
    if (auto checked = check_provider(settings); !checked) return checked.error();
  }
  if (!settings.admin_oidc_client_id.empty()) {
    if (settings.admin_oidc_issuer.empty()) {
      return Error(ErrorCode::invalid,
                   "admin_oidc_client_id needs admin_oidc_issuer: that is where the console signs in");
    }
    if (const auto origin = origin_of(settings.admin_oidc_issuer); !origin) return origin.error();
  }
  if (settings.admin_role_claim != "role" && settings.admin_roles.empty()) {
    return Error(ErrorCode::invalid,
                 fmt::format("admin_role_claim is {}: set admin_roles as well, which says what its values give, such "
                             "as net-admins=admin,auditors=viewer",
                             shown(settings.admin_role_claim)));
  }
  return {};
}

std::string or_else(const std::string& configured, std::string_view fallback) {
  return configured.empty() ? std::string(fallback) : configured;
}

jwt::AdminTrust trust_in(const config::Settings& settings) {
  if (!has_file(settings) && !has_provider(settings)) {
    return {or_else(settings.admin_issuer, data_dir::dev_admin_issuer),
            or_else(settings.admin_audience, data_dir::dev_admin_audience)};
  }
  jwt::AdminTrust trust{or_else(settings.admin_oidc_issuer, settings.admin_issuer), settings.admin_audience};
  if (!settings.admin_roles.empty()) {
    trust.role = {settings.admin_role_claim, jwt::parse_role_map(settings.admin_roles).value()};
  }
  return trust;
}

Result<jwt::AdminKeys> development_keys(const data_dir::DataDir& data) {
  auto key = data.load_or_create_admin_key();
  if (!key) return key.error();
  jwt::AdminKeys keys;
  if (auto added = keys.add_public_key(key->public_key()); !added) return added.error();
  return keys;
}

}  // namespace

Result<void> check_admin_keys(const config::Settings& settings) {
  if (auto checked = check_settings(settings); !checked) return checked.error();
  if (!has_file(settings)) return {};
  const auto text = data_dir::read_small_file(file_of(settings), Links::follow);
  if (!text) return text.error();
  if (const auto keys = keys_in(settings, *text); !keys) return keys.error();
  return {};
}

Result<std::unique_ptr<Admins>> Admins::open(const config::Settings& settings, const data_dir::DataDir& data,
                                             std::chrono::milliseconds every) {
  if (auto checked = check_settings(settings); !checked) return checked.error();
  std::unique_ptr<Admins> admins(new Admins(settings, trust_in(settings)));
  if (has_provider(settings)) {
    admins->provider_ = std::make_unique<ProviderKeys>(
        ProviderKeys::Source{provider_name(settings), provider_fetch(settings),
                             [settings](std::string_view text) { return public_keys(settings, text); }},
        admins->verifier_, admins->clock_, RenewalTimes{.max_age = settings.admin_jwks_max_age});
    return admins;
  }
  if (!has_file(settings)) {
    auto keys = development_keys(data);
    if (!keys) return keys.error();
    admins->verifier_.replace_keys(std::move(*keys));
    return admins;
  }
  if (auto loaded = admins->load(); !loaded) return loaded.error();
  admins->watch(every);
  return admins;
}

Result<void> Admins::load() {
  auto text = data_dir::read_small_file(file_of(settings_), Links::follow);
  if (!text) return text.error();
  auto keys = keys_in(settings_, *text);
  if (!keys) return keys.error();
  verifier_.replace_keys(std::move(*keys));
  const MutexLock lock(mutex_);
  seen_ = Secret(std::move(*text));
  return {};
}

// The whole file is compared, not its times: it is small, and a file that is renamed, linked (Kubernetes) or written
// twice within one tick of its clock is found all the same.
void Admins::watch(std::chrono::milliseconds every) {
  watcher_.start([this, every] {
    while (watcher_.sleep(every)) look(false);
  });
}

void Admins::read_again() {
  if (provider_) return provider_->ask();
  look(true);
}

void Admins::look(bool asked) {
  if (!has_file(settings_)) return;
  const MutexLock lock(mutex_);
  const auto text = data_dir::read_small_file(file_of(settings_), Links::follow);
  Secret found(text ? *text : '\0' + text.error().detail);
  if (!asked && found == seen_) return;
  seen_ = std::move(found);
  auto keys = text ? keys_in(settings_, *text) : Result<jwt::AdminKeys>(text.error());
  if (!keys) return log_error("admin keys: {}; the keys of before stay in force", keys.error().detail);
  log_info("admin keys: {}: {} read again", file_of(settings_),
           keys->keys().size() == 1 ? "1 key" : fmt::format("{} keys", keys->keys().size()));
  verifier_.replace_keys(std::move(*keys));
}

}  // namespace latchkey::admin_identity
