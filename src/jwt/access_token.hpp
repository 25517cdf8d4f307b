#pragma once

// The access key as a token: JWS compact (RFC 7515) with EdDSA over Ed25519 (RFC 8037).
//
//   header   {"alg":"EdDSA","kid":"<43>","typ":"latchkey+jwt"}
//   payload  {"jti":"<key id, 36>","iat":<seconds>,"iss":"latchkey","role":"user","sub":"<user id>"}
//
// We mint the members in exactly this order, so the key id stands at a fixed offset of the payload and
// `hinted_key_id` finds it without parsing. Any member order is accepted when a token is parsed.

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "jwt/ed25519.hpp"
#include "key/access_key.hpp"

namespace latchkey::jwt {

constexpr std::string_view access_token_type = "latchkey+jwt";
constexpr std::string_view access_token_issuer = "latchkey";
constexpr std::size_t max_token_bytes = 4096;  // longer ones are refused before any decoding

struct AccessClaims {
  KeyId key_id;
  std::string user_id;
  IssueTime issued_at;
  Role role = Role::user;
};

/// Signs the token of one issue of a key. Deterministic: the same claims and key give the same token.
/// Throws std::invalid_argument for what parse_access_token() would refuse: a kid that is no thumbprint, a bad user id,
/// a negative issue time.
Secret mint_access_token(const AccessClaims& claims, std::string_view kid, const Ed25519PrivateKey& key);

/// Why a token is not an access key, before its signature was looked at.
enum class TokenFault {
  malformed,     // not a JWS of our shape, forbidden or missing members, wrong algorithm, issuer or claim types
  another_kind,  // a well-formed JWT with another typ than ours, such as an admin token
  another_role,  // ours, but its role is none that may pass here
};

/// A token taken apart, strictly (RFC 7515, 7519; docs/life-of-a-key.md). Views point into the token given to parse().
struct ParsedAccessToken {
  AccessClaims claims;
  std::string kid;
  std::string_view signing_input;  // "header.payload"
  std::array<std::uint8_t, 64> signature;
};

/// Shape, header and claims; no cryptography. More than a kilobyte of claims, or over 32 of { [ : , in them, is
/// malformed before they are parsed, so that garbage costs no more than an access key. `alg` other than EdDSA, members
/// jwk, jku, x5u, x5c, crit, b64, zip or enc, non-canonical base64url, repeated members and anything over
/// max_token_bytes are malformed. So are a `kid` that is no thumbprint (43 characters) and the claims exp, nbf and aud,
/// which we never mint and do not honour. `typ` is compared exactly, with case. Another typ or none is another_kind
/// only if the rest is a whole JWT with an `alg` besides "none".
Result<ParsedAccessToken, TokenFault> parse_access_token(std::string_view token);

/// Whether the signature is the key's. About 100 µs.
bool verify(const ParsedAccessToken& token, const Ed25519PublicKey& key);

/// The key id where our own minting puts it: a guess for looking up a remembered token, proof of nothing.
/// No allocation, well under 100 ns; nullopt when nothing of the right form stands there.
std::optional<KeyId> hinted_key_id(std::string_view token);

}  // namespace latchkey::jwt
