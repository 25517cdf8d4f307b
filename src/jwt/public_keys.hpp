#pragma once

// Public keys from outside: PEM (RFC 7468, RFC 5280) or a JWK Set (RFC 7517).
//
// Of a file with ten keys, nine of which are good, nine are used: providers publish keys for encryption beside those
// for signatures, and one odd key must not lock all admins out. What is left out is named, with its reason, for the
// log.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "jwt/verification_key.hpp"
#include "key/signing_key.hpp"

namespace latchkey::jwt {

/// A key that is not used. Both texts can be shown: no control characters, of a bounded length.
struct SkippedKey {
  std::string name;    // `key 2 (kid "x")` or `block 2 ("CERTIFICATE")`, counted from 1
  std::string reason;  // "an EC key on P-256 needs x and y of 32 bytes each"
};

/// A token without `kid` is tried with each key that fits, so their number bounds what one bad token costs. Providers
/// publish fewer than ten.
constexpr std::size_t max_public_keys = 64;

struct PublicKeys {
  std::vector<VerificationKey> keys;  // at least one, at most max_public_keys
  std::vector<SkippedKey> skipped;
};

/// Its "PUBLIC KEY" blocks; blocks of another kind, private keys among them, are skipped. An RSA key is for `rsa`.
/// Errors: ErrorCode::invalid for a broken block, and where no key is left.
Result<PublicKeys> read_public_key_pem(std::string_view text, AlgorithmSet rsa = default_rsa_algorithms);

/// The keys of a JWK Set that verify: OKP/Ed25519, EC/P-256, P-384, P-521, RSA. A key's `alg` is its only algorithm; an
/// RSA key without one is for `rsa`. Skipped: `use` other than `sig`, `key_ops` without `verify`, symmetric and private
/// keys, and whatever is broken or unknown. Errors: ErrorCode::invalid for what is no JWK Set, and where no key is
/// left.
Result<PublicKeys> read_jwks(std::string_view text, AlgorithmSet rsa = default_rsa_algorithms);

/// Our own public signing keys as a JWK Set for others to read; retired ones are left out.
std::string to_jwks(std::span<const SigningKey> keys);

/// For the two readers. Adds `key`, or its refusal, to `read`; what comes after max_public_keys is skipped.
void add_key(PublicKeys& read, std::string name, Result<VerificationKey> key);
/// `read`, or the error that says why none of its keys can be used.
Result<PublicKeys> unless_empty(PublicKeys read);

}  // namespace latchkey::jwt
