#include <string>

#include "admin_identity/admin_verifier.hpp"
#include "config/rule_file.hpp"
#include "http/cors.hpp"
#include "http/listen.hpp"
#include "main/catalog.hpp"
#include "main/engines.hpp"
#include "main/forward_auth.hpp"
#include "main/services.hpp"
#include "main/tls.hpp"

namespace latchkey {

std::vector<FieldError> configuration_errors(const config::Settings& settings) {
  std::vector<FieldError> found = engines::configuration_errors(settings);
  const auto note = [&](std::string setting, const auto& checked) {
    if (!checked) found.push_back({std::move(setting), checked.error().detail});
  };
  note("keys_listen", http::parse_listen(settings.keys_listen));
  note("tokens_listen", http::parse_listen(settings.tokens_listen));
  if (const auto tls = load_tls(settings); !tls) {
    const auto& fields = tls.error().fields;
    found.insert(found.end(), fields.begin(), fields.end());
  }
  note("admin keys", admin_identity::check_admin_keys(settings));
  note("catalog", load_catalog(settings));
  note("rules", config::load_rules(settings.rules));
  note("trusted_proxies", forward_auth(settings));
  note("cors_origins", http::parse_origins(settings.cors_origins));
  return found;
}

}  // namespace latchkey
