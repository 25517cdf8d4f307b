#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "jwt/access_token.hpp"

namespace latchkey::jwt {

/// Takes a token apart that is octet for octet of the form that we mint ourselves: the same answer as
/// parse_access_token(), without a JSON parser. nullopt: not of that form, which says nothing else.
std::optional<ParsedAccessToken> parse_minted_form(std::string_view token);

/// The `kid` of a header of that form; nullopt for any other.
std::optional<std::string> kid_of_minted_header(std::string_view encoded);

}  // namespace latchkey::jwt
