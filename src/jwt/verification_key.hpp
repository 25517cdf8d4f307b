#pragma once

// A key bound to its one algorithm (RFC 8725, 3.1): what a token's header says cannot change how it is verified.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "jwt/openssl_ptr.hpp"
#include "key/signing_key.hpp"

namespace latchkey::jwt {

enum class Algorithm : std::uint8_t { eddsa, es256, rs256, hs256 };
/// As in `alg` (RFC 7518, 3.1; RFC 8037, 3.1): "EdDSA", "ES256", "RS256", "HS256".
std::string_view to_string(Algorithm algorithm);

constexpr int min_rsa_bits = 2048;
constexpr int max_rsa_bits = 8192;                   // verification time grows with the square
constexpr std::size_t min_shared_secret_bytes = 32;  // RFC 7518, 3.2: no shorter than the hash

/// Move-only. Any thread may call verify().
class VerificationKey {
 public:
  /// Ed25519, EC on P-256, or RSA of min_rsa_bits to max_rsa_bits with an odd exponent of 3 or more. Refuses all else.
  static Result<VerificationKey> from_pkey(PkeyPtr key);
  static Result<VerificationKey> from_ed25519(const Ed25519PublicKey& key);
  /// For HS256; at least min_shared_secret_bytes.
  static Result<VerificationKey> from_shared_secret(Secret secret);

  Algorithm algorithm() const { return algorithm_; }
  /// `signature` as JOSE has it: for ES256 the 64 bytes r || s, never DER.
  bool verify(std::string_view message, std::span<const std::uint8_t> signature) const;

  std::optional<std::string> kid;  // where the key has an id (JWKS)

 private:
  using Material = std::variant<Ed25519PublicKey, PkeyPtr, Secret>;
  VerificationKey(Algorithm algorithm, Material material) : algorithm_(algorithm), material_(std::move(material)) {}

  Algorithm algorithm_;
  Material material_;
};

}  // namespace latchkey::jwt
