#pragma once

#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "key/signing_key.hpp"

namespace latchkey::jwt {

using Ed25519Signature = std::array<std::uint8_t, 64>;

/// Signs. Move-only. sign() may be called by any thread.
class Ed25519PrivateKey {
 public:
  static Ed25519PrivateKey generate();
  /// From an unencrypted PKCS#8 PEM (RFC 8410).
  static Result<Ed25519PrivateKey> from_pem(const Secret& pem);
  Ed25519PrivateKey(Ed25519PrivateKey&&) noexcept;
  Ed25519PrivateKey& operator=(Ed25519PrivateKey&&) noexcept;
  ~Ed25519PrivateKey();

  Secret to_pem() const;
  Ed25519PublicKey public_key() const;
  Ed25519Signature sign(std::string_view message) const;

 private:
  explicit Ed25519PrivateKey(EVP_PKEY* key);
  EVP_PKEY* key_;
};

/// Whether the bytes may serve as a public key: a canonical encoding (y < p) and not one of the points of small order.
bool is_usable(const Ed25519PublicKey& key);

/// RFC 8032 verification by OpenSSL; refuses non-canonical S and small-order public keys.
bool ed25519_verify(const Ed25519PublicKey& key, std::string_view message, std::span<const std::uint8_t> signature);

/// RFC 7638 thumbprint (SHA-256, base64url): the `kid` of a signing key.
std::string thumbprint(const Ed25519PublicKey& key);

}  // namespace latchkey::jwt
