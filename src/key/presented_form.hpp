#pragma once

// How an access key is shown to its holder: the token, with a prefix of the operator's choice before it, so that people
// and secret scanners know what it is.
//
//   acme_live_eyJhbGciOiJFZERTQSIs…       the token is what begins at the first "eyJ"
//
// A prefix is proof of nothing: keys with any prefix, and with none, pass alike.

#include <string_view>

namespace latchkey {

constexpr std::size_t max_key_prefix_bytes = 24;

/// [a-z0-9_]{1,24}: it cannot hold "eyJ".
bool is_key_prefix(std::string_view text);

/// Without what is_key_prefix() before the first "eyJ"; anything else comes back as it is. A few nanoseconds for a
/// token without a prefix.
std::string_view without_prefix(std::string_view presented);

/// Whether text begins as an access key does, in either form: the header that we mint stands first, as far as `text`
/// goes, and for more than a few characters.
bool begins_like_access_key(std::string_view text);

}  // namespace latchkey
