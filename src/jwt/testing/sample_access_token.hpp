#pragma once

// For tests: one good access token in its parts, and ways to spoil it.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "jwt/access_token.hpp"
#include "jwt/testing/hand_made_token.hpp"

namespace latchkey::jwt {

inline constexpr std::string_view id_text = "0198b2c4-7d3e-7a61-9c55-0e1f2a3b4c5d";
inline const std::string good_header = fmt::format(R"({{"alg":"EdDSA","kid":"{}","typ":"latchkey+jwt"}})", rfc8037_kid);
inline const std::string good_payload =
    fmt::format(R"({{"jti":"{}","iat":1767225600,"iss":"latchkey","role":"user","sub":"alice"}})", id_text);

inline AccessClaims claims_of(std::string user_id = "alice") {
  return {*KeyId::parse(id_text), std::move(user_id), {1'767'225'600}, Role::user};
}

inline std::string minted() { return std::string(mint_access_token(claims_of(), rfc8037_kid, rfc8037_key()).reveal()); }

inline std::string token_of(std::string_view header, std::string_view payload) {
  return signed_with(rfc8037_key(), header, payload);
}

inline std::optional<TokenFault> fault_of(std::string_view token) {
  const auto parsed = parse_access_token(token);
  return parsed ? std::nullopt : std::optional(parsed.error());
}

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

}  // namespace latchkey::jwt
