#pragma once

// What a request presents: `Authorization: Bearer <access key>` (RFC 6750 section 2.1) or `X-API-Key: <access key>`.

#include <string_view>

#include "access/refusal.hpp"
#include "base/error.hpp"
#include "http/message.hpp"

namespace latchkey::access {

/// The token as sent, but without a prefix (key/presented_form.hpp), a view into the request; its shape is not looked at.
/// Allocates nothing.
///
///   Authorization: Bearer KEY                              KEY
///   X-API-Key: KEY                                         KEY
///   X-API-Key: KEY, Authorization: Basic …                 KEY: another scheme, or nothing, presents nothing to us
///   X-API-Key: KEY, Authorization: Bearer KEY              KEY: the same twice is one
///   X-API-Key: KEY, Authorization: Bearer OTHER            ambiguous
///
/// - ambiguous: two different keys.
/// - no_credentials: neither header, or another scheme than Bearer and no X-API-Key.
/// - malformed: a header without a token, or with more than one word after the scheme.
Result<std::string_view, Refusal> token_in_headers(const http::Request& request);

/// The same where the query is ours. A key in it is ambiguous whatever the headers say, for logs and histories would
/// keep it: a parameter named like a key (key, token, apiKey, api_key, access_key, access_token, x-api-key, …; any
/// case, percent-decoded), or a value that looks like a token.
Result<std::string_view, Refusal> presented_token(const http::Request& request);

/// Whether a token came as Authorization: Bearer: the only way for an admin token.
bool is_bearer(const http::Request& request);

/// What presented_token() probably finds, sooner; empty: nothing. Decides nothing.
std::string_view expected_token(const http::Request& request);

}  // namespace latchkey::access
