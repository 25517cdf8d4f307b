#pragma once

#include <string>

namespace latchkey::config {

/// "scheme://user:password@host/path?query" without password and query, which may hold another. A password may have
/// any of "/?#@:" unescaped, so it ends at the last '@'; where that may as well be in the query, both are hidden. What
/// has no colon may be a password where a user is optional, as for Redis; so may what is no place, where the '@' or the
/// host was forgotten.
std::string redact_url_credentials(std::string text);

}  // namespace latchkey::config
