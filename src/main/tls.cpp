#include "main/tls.hpp"

#include "base/log.hpp"

namespace latchkey {

namespace {

/// The transport says which of its two files it is; here they have the names by which they are set.
Error naming_the_setting(Error error) {
  if (error.fields.empty()) return error;
  auto& field = error.fields.front();
  field.pointer = field.pointer == "certificate" ? "tls_cert" : "tls_key";
  error.detail = field.pointer + ": " + field.detail;
  return error;
}

}  // namespace

Result<std::shared_ptr<http::TlsCredentials>> load_tls(const config::Settings& settings) {
  if (settings.tls_cert.empty() && settings.tls_key.empty()) return std::shared_ptr<http::TlsCredentials>();
  if (settings.tls_cert.empty() || settings.tls_key.empty()) {
    return naming_the_setting(Error::invalid(settings.tls_cert.empty() ? "certificate" : "private key",
                                             "is missing: tls_cert and tls_key belong together"));
  }
  auto loaded = http::TlsCredentials::load({settings.tls_cert, settings.tls_key});
  if (!loaded) return naming_the_setting(loaded.error());
  return loaded;
}

void reload_tls(const std::shared_ptr<http::TlsCredentials>& credentials) {
  if (!credentials) return;
  if (const auto reloaded = credentials->reload(); !reloaded) {
    log_error("tls: {}; the previous certificate stays", naming_the_setting(reloaded.error()).detail);
  } else {
    log_info("tls: certificate read again");
  }
}

}  // namespace latchkey
