#pragma once

// Which URLs an identity provider's keys are fetched from.

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/ip_address.hpp"

namespace latchkey::admin_identity {

/// https://host/path; http:// for loopback only (localhost, 127.0.0.1, [::1]). Refused: credentials in it, a fragment,
/// white space. The error's text says what is wrong.
Result<void> check_provider_url(std::string_view url);

/// "https://login.example:8443" of "https://login.example:8443/realms/a", for a URL that check_provider_url() takes. An
/// error where the host holds what no page's policy can say.
Result<std::string> origin_of(std::string_view url);

/// The discovery document of an issuer (OpenID Connect Discovery 1.0, section 4).
std::string discovery_url(std::string_view issuer);

/// The `jwks_uri` of a discovery document. Its `issuer` must be `issuer`, octet by octet: a document of somebody else
/// names somebody else's keys.
Result<std::string> jwks_url_in(std::string_view discovery_document, std::string_view issuer);

/// Loopback, private, link-local and other addresses that are not of the public Internet (RFC 6890): a public provider
/// has no business there, and its document could otherwise make us ask within our own network.
bool is_private(const IpAddress& address);

}  // namespace latchkey::admin_identity
