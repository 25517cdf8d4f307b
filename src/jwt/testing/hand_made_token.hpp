#pragma once

// For tests and fuzzing only: tokens from any text at all, so that each rule of the parsers can be broken by itself.

#include <string>
#include <string_view>

#include "jwt/base64url.hpp"
#include "jwt/ed25519.hpp"

namespace latchkey::jwt {

/// "header.payload" of two texts, whatever they are.
inline std::string hand_made_input(std::string_view header, std::string_view payload) {
  return encode_base64url(header) + '.' + encode_base64url(payload);
}

inline std::string signed_with(const Ed25519PrivateKey& key, std::string_view header, std::string_view payload) {
  const std::string input = hand_made_input(header, payload);
  return input + '.' + encode_base64url(key.sign(input));
}

/// The key pair of RFC 8037, appendix A.1 (and RFC 8032, 7.1, test 1).
inline Ed25519PrivateKey rfc8037_key() {
  auto key =
      Ed25519PrivateKey::from_pem(Secret("-----BEGIN PRIVATE KEY-----\n"
                                         "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                                         "-----END PRIVATE KEY-----\n"));
  return std::move(*key);
}
constexpr std::string_view rfc8037_kid = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";  // appendix A.3

}  // namespace latchkey::jwt
