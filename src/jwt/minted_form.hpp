#pragma once

#include <optional>
#include <string_view>

#include "jwt/access_token.hpp"

namespace latchkey::jwt {

/// Takes a token apart that is octet for octet of the form that we mint ourselves: the same answer as
/// parse_access_token(), without a JSON parser. nullopt: not of that form, which says nothing else.
std::optional<ParsedAccessToken> parse_minted_form(std::string_view token);

}  // namespace latchkey::jwt
