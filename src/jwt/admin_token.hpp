#pragma once

// Admin tokens: JWTs of another kind than access keys, with keys and an audience of their own.
// Header `typ` is "JWT" or absent, never "latchkey+jwt". Claims: `sub`, `role` ("admin" or "viewer"), `exp` required;
// `nbf`, `iat` checked when present; `iss` and `aud` (string or array) checked when configured. Leeway: 30 s on
// nbf/iat, none on exp.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "jwt/ed25519.hpp"

namespace latchkey::jwt {

enum class AdminRole : std::uint8_t { viewer, admin };

struct AdminIdentity {
  std::string subject;
  AdminRole role = AdminRole::viewer;
  UnixMillis expires_at;  // not after the year 9999
};

enum class AdminFault {
  invalid,     // malformed, unknown key, wrong algorithm, bad signature, wrong issuer or audience, no or past exp
  access_key,  // a token of typ latchkey+jwt: the wrong kind here (403)
  no_role,     // good, but its role is neither admin nor viewer (403)
};

struct AdminTrust {
  std::string issuer;    // empty: not checked
  std::string audience;  // empty: not checked
};

/// A subject (`sub`) has 1 to 255 bytes, no control characters, and does not begin with "key:", which in the audit
/// trail means the holder of an access key. Tokens of another subject are refused, so nobody should mint one.
bool is_admin_subject(std::string_view sub);

/// Verifies admin tokens by configured keys. The algorithm is bound to the key, never taken from the header:
/// EdDSA (Ed25519), ES256 (P-256), RS256 (RSA of 2048 bits or more), HS256 (secret of 32 bytes or more, own file only).
/// With a `kid` in the header only that key is tried, where keys have ids (JWKS); otherwise each key of that algorithm.
/// Any thread may call verify(); adding keys is for start-up.
class AdminVerifier {
 public:
  explicit AdminVerifier(AdminTrust trust);
  ~AdminVerifier();
  AdminVerifier(AdminVerifier&&) noexcept;

  /// One or more "PUBLIC KEY" blocks, or a JWKS document (RFC 7517); symmetric and private JWKs are refused.
  Result<void> add_public_keys(std::string_view pem_or_jwks);
  Result<void> add_shared_secret(const Secret& secret);
  Result<void> add_public_key(const Ed25519PublicKey& key);
  bool empty() const;

  Result<AdminIdentity, AdminFault> verify(std::string_view token, UnixMillis now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct AdminTokenRequest {
  std::string subject;
  AdminRole role = AdminRole::admin;
  std::string issuer;
  std::string audience;
  UnixMillis issued_at;
  std::chrono::seconds lifetime{};
};

/// `latchkey admin-token`: EdDSA with the data directory's development key.
Secret mint_admin_token(const AdminTokenRequest& request, const Ed25519PrivateKey& key);

}  // namespace latchkey::jwt
