#pragma once

// Admin tokens: JWTs of another kind than access keys, with keys and an audience of their own, from an identity
// provider or from `latchkey admin-token`.
//
// Header: `typ` is absent, "JWT" or "at+jwt" (RFC 9068), in any case, with or without "application/" before it; never
// "latchkey+jwt". Claims: a role and `exp` are required; `nbf`, `iat` checked when present; `iss` and `aud` (string or
// array) checked when configured. Leeway: 30 s on nbf/iat, none on exp.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/mutex.hpp"
#include "base/secret.hpp"
#include "jwt/ed25519.hpp"
#include "jwt/public_keys.hpp"
#include "jwt/role_claim.hpp"

namespace latchkey::jwt {

constexpr std::size_t max_admin_token_bytes = 16 * 1024;  // what a request head holds: many groups pass 4 KiB
constexpr std::size_t max_claims_depth = 64;

struct AdminIdentity {
  std::string subject;  // `sub`; of a token without one its `client_id`, `azp` or `iss`
  AdminRole role = AdminRole::viewer;
  UnixMillis expires_at;  // not after the year 9999
};

enum class AdminFault : std::uint8_t {
  malformed,      // no JWT of this kind, or too long
  unknown_key,    // no configured key has this algorithm and key id
  bad_signature,  //
  access_key,     // a token of typ latchkey+jwt: the wrong kind here (403)
  // Only after a good signature:
  bad_claims,  // no JSON object, or no `exp`
  expired,
  not_yet_valid,  // `nbf` or `iat` lies ahead
  wrong_issuer,
  wrong_audience,
  no_subject,
  no_role  // good, but it gives no role here (403)
};
constexpr std::size_t admin_fault_count = 11;
/// "malformed", "unknown key", …
std::string_view to_string(AdminFault fault);

struct AdminRefusal {
  AdminFault fault = AdminFault::malformed;
  std::string
      reason;  // for the operator's log: one line, bounded, of the token no more than kid, typ, alg, iss and aud
};

struct AdminTrust {
  std::string issuer;    // empty: not checked
  std::string audience;  // empty: not checked
  RoleClaim role{};
};

/// A subject has 1 to 255 bytes, no control characters, and does not begin with "key:", which in the audit
/// trail means the holder of an access key. Tokens of another subject are refused, so nobody should mint one.
bool is_admin_subject(std::string_view sub);

/// The keys that verify admin tokens: public keys, or one shared secret, never both, lest what is public be taken for a
/// secret. The algorithm is bound to the key, never taken from the header (RFC 8725, 3.1).
class AdminKeys {
 public:
  /// "PUBLIC KEY" blocks, or a JWKS document (RFC 7517); of RSA keys without an `alg`, for `rsa`.
  /// Gives the keys that were skipped.
  Result<std::vector<SkippedKey>> add_public_keys(std::string_view pem_or_jwks,
                                                  AlgorithmSet rsa = default_rsa_algorithms);
  /// HS256 with 32 bytes or more, HS384 with 48, HS512 with 64.
  Result<void> add_shared_secret(const Secret& secret);
  Result<void> add_public_key(const Ed25519PublicKey& key);
  bool empty() const { return keys_.empty(); }
  const std::vector<VerificationKey>& keys() const { return keys_; }

 private:
  std::vector<VerificationKey> keys_;
  bool shared_secret_ = false;
};

/// Verifies admin tokens. With a `kid` in the header only that key is tried, where keys have ids (JWKS); otherwise each
/// key of that algorithm. Any thread may call any method.
class AdminVerifier {
 public:
  AdminVerifier(AdminTrust trust, AdminKeys keys);

  Result<AdminIdentity, AdminRefusal> verify(std::string_view token, UnixMillis now) const;

  /// From the next verification on these keys count alone.
  void replace_keys(AdminKeys keys);
  /// Another number after each replace_keys(): what was found good before then must be verified again.
  std::uint64_t generation() const;

 private:
  struct Generation {
    std::uint64_t number;
    AdminKeys keys;
  };
  std::shared_ptr<const Generation> current() const;

  const AdminTrust trust_;
  mutable Mutex mutex_;  // for a few nanoseconds
  std::shared_ptr<const Generation> current_ GUARDED_BY(mutex_);
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
