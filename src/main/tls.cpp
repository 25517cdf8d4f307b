#include "main/tls.hpp"

#include "base/log.hpp"

namespace latchkey {

Result<std::shared_ptr<http::TlsCredentials>> load_tls(const cli::Settings& settings) {
  if (settings.tls_cert.empty() && settings.tls_key.empty()) return std::shared_ptr<http::TlsCredentials>();
  if (settings.tls_cert.empty() || settings.tls_key.empty()) {
    return Error(ErrorCode::invalid, "tls_cert and tls_key belong together: one of them is missing");
  }
  return http::TlsCredentials::load({settings.tls_cert, settings.tls_key});
}

void reload_tls(const std::shared_ptr<http::TlsCredentials>& credentials) {
  if (!credentials) return;
  if (const auto reloaded = credentials->reload(); !reloaded) {
    log_error("tls: {}; the previous certificate stays", reloaded.error().detail);
  } else {
    log_info("tls: certificate read again");
  }
}

}  // namespace latchkey
