#pragma once

#include <string>

#include "admin_identity/provider_fetch.hpp"
#include "config/settings.hpp"
#include "data_dir/data_dir.hpp"
#include "jwt/admin_token.hpp"

namespace latchkey::admin_identity {

struct DevAdminToken {
  std::string subject;
  jwt::AdminRole role = jwt::AdminRole::admin;
  std::chrono::seconds lifetime{};
};

/// What the management service of these settings judges admin tokens by: "admin_keys (FILE)". Empty: the development
/// key of the data directory.
inline std::string other_admin_keys(const config::Settings& settings) {
  if (!settings.admin_keys.empty()) return "admin_keys (" + settings.admin_keys + ")";
  if (!settings.admin_secret_file.empty()) return "admin_secret_file (" + settings.admin_secret_file + ")";
  return has_provider(settings) ? provider_name(settings) : std::string();
}

/// By the development key, with the issuer and audience that go with it.
inline Secret mint_dev_admin_token(const DevAdminToken& wanted, const jwt::Ed25519PrivateKey& key) {
  return jwt::mint_admin_token({wanted.subject, wanted.role, std::string(data_dir::dev_admin_issuer),
                                std::string(data_dir::dev_admin_audience), SystemClock().wall(), wanted.lifetime},
                               key);
}

}  // namespace latchkey::admin_identity
