#pragma once

#include <memory>

#include "base/error.hpp"
#include "config/settings.hpp"
#include "http/tls_credentials.hpp"

namespace latchkey {

/// By tls_cert and tls_key; null: plain HTTP.
Result<std::shared_ptr<http::TlsCredentials>> load_tls(const config::Settings& settings);
/// Reads the files again; keeps the old ones on an error.
void reload_tls(const std::shared_ptr<http::TlsCredentials>& credentials);

}  // namespace latchkey
