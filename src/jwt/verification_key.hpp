#pragma once

// A key bound to its algorithms (RFC 8725, 3.1): what a token's header says cannot change how it is verified. Most keys
// have one; an RSA key may have several, if the operator says so, and a shared secret those that it is long enough for.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "jwt/algorithm.hpp"
#include "jwt/openssl_ptr.hpp"
#include "key/signing_key.hpp"

namespace latchkey::jwt {

constexpr int min_rsa_bits = 2048;
constexpr int max_rsa_bits = 8192;                   // verification time grows with the square
constexpr std::size_t min_shared_secret_bytes = 32;  // RFC 7518, 3.2: no shorter than the hash

/// Move-only. Any thread may call verify().
class VerificationKey {
 public:
  /// Ed25519, EC on P-256, P-384 or P-521, or RSA of min_rsa_bits to max_rsa_bits with an odd exponent of 3 or more,
  /// which is then for `rsa`. Refuses all else.
  static Result<VerificationKey> from_pkey(PkeyPtr key, AlgorithmSet rsa = default_rsa_algorithms);
  static Result<VerificationKey> from_ed25519(const Ed25519PublicKey& key);
  /// For HS256 with 32 bytes or more, for HS384 too with 48, for HS512 too with 64 (RFC 7518, 3.2).
  static Result<VerificationKey> from_shared_secret(Secret secret);

  /// From now on for this algorithm alone, as a JWK's `alg` says. An error if a key of this kind cannot be.
  Result<void> bind(Algorithm algorithm);

  bool is_for(Algorithm algorithm) const { return algorithms_.has(algorithm); }
  /// False unless the key is for that algorithm. `signature` as JOSE has it: for ES256 the 64 bytes r || s, never DER.
  bool verify(Algorithm algorithm, std::string_view message, std::span<const std::uint8_t> signature) const;

  std::optional<std::string> kid;  // where the key has an id (JWKS)

 private:
  using Material = std::variant<Ed25519PublicKey, PkeyPtr, Secret>;
  VerificationKey(KeyKind kind, AlgorithmSet algorithms, Material material)
      : kind_(kind), algorithms_(algorithms), material_(std::move(material)) {}

  KeyKind kind_;
  AlgorithmSet algorithms_;
  Material material_;
};

}  // namespace latchkey::jwt
