#pragma once

// How the keys of an identity provider are fetched: over https, without redirects, at most 1 MiB, within 5 s a document.

#include <functional>
#include <string>

#include "base/error.hpp"
#include "config/settings.hpp"

namespace latchkey::admin_identity {

/// Whether the settings name a provider: admin_oidc_issuer or admin_jwks_url.
bool has_provider(const config::Settings& settings);
/// "admin_oidc_issuer (URL)".
std::string provider_name(const config::Settings& settings);
/// What is wrong with the settings about a provider.
Result<void> check_provider(const config::Settings& settings);

/// Fetches the JWK Set of these settings, by discovery where an issuer is named. What a discovery document leads to is
/// not fetched from a private address, unless the document came from one.
std::function<Result<std::string>()> provider_fetch(const config::Settings& settings);

}  // namespace latchkey::admin_identity
