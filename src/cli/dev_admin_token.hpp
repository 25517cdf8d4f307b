#pragma once

#include "cli/data_dir.hpp"
#include "jwt/admin_token.hpp"

namespace latchkey::cli {

struct DevAdminToken {
  std::string subject;
  jwt::AdminRole role = jwt::AdminRole::admin;
  std::chrono::seconds lifetime{};
};

/// By the development key, with the issuer and audience that go with it.
inline Secret mint_dev_admin_token(const DevAdminToken& wanted, const jwt::Ed25519PrivateKey& key) {
  return jwt::mint_admin_token({wanted.subject, wanted.role, std::string(dev_admin_issuer),
                                std::string(dev_admin_audience), SystemClock().wall(), wanted.lifetime},
                               key);
}

}  // namespace latchkey::cli
