#pragma once

// Public keys from outside, read once at start-up: PEM (RFC 7468, RFC 5280) or a JWK Set (RFC 7517).

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "jwt/verification_key.hpp"
#include "key/signing_key.hpp"

namespace latchkey::jwt {

/// One or more "PUBLIC KEY" blocks and no block of another kind. Errors: ErrorCode::invalid.
Result<std::vector<VerificationKey>> read_public_key_pem(std::string_view text);

/// The keys of a JWK Set that sign: OKP/Ed25519, EC/P-256, RSA. As RFC 7517 (5) asks, keys of other types, curves,
/// algorithms or uses are passed over; but a symmetric or private key, or one of ours that is broken, refuses the whole
/// document, and so does a document without any usable key. Errors: ErrorCode::invalid.
Result<std::vector<VerificationKey>> read_jwks(std::string_view text);

/// Our own public signing keys as a JWK Set for others to read; retired ones are left out.
std::string to_jwks(std::span<const SigningKey> keys);

}  // namespace latchkey::jwt
