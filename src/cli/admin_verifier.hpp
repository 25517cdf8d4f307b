#pragma once

#include "base/error.hpp"
#include "cli/data_dir.hpp"
#include "cli/settings.hpp"
#include "jwt/admin_token.hpp"

namespace latchkey::cli {

/// Whom the management service believes: the configured keys, or else the data directory's development key with an
/// issuer and audience of its own. Reads files; for start-up.
Result<jwt::AdminVerifier> admin_verifier(const Settings& settings, const DataDir& data);

/// Whether the configured files can be read and hold keys; touches no data directory.
Result<void> check_admin_keys(const Settings& settings);

}  // namespace latchkey::cli
