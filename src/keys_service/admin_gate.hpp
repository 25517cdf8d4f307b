#pragma once

// Who may use the admin routes. An Ed25519 verification costs 100 µs, so a token found good is remembered by its
// digest, never past its `exp`.

#include <mutex>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "http/message.hpp"
#include "jwt/admin_token.hpp"
#include "jwt/digest.hpp"

namespace latchkey::keys_service {

/// Any thread may call any method.
class AdminGate {
 public:
  AdminGate(const jwt::AdminVerifier& verifier, const Clock& clock) : verifier_(verifier), clock_(clock) {}

  /// The admin behind the request, or the answer that refuses it:
  ///   400 ambiguous-credentials     two different credentials
  ///   401 no-credentials            none, or another scheme; the challenge has no error code
  ///   401 invalid-token             not a good admin token
  ///   403 wrong-kind                an access key
  ///   403 wrong-role                no role, or a viewer where an admin is needed
  Result<jwt::AdminIdentity, http::Response> admit(const http::Request& request, jwt::AdminRole needed);

  static constexpr std::size_t max_remembered = 1024;

 private:
  struct Hash {
    std::size_t operator()(const jwt::TokenDigest& digest) const { return digest.words[0]; }
  };

  Result<jwt::AdminIdentity, jwt::AdminFault> verify(std::string_view token);
  void remember(const jwt::TokenDigest& digest, const jwt::AdminIdentity& identity);

  const jwt::AdminVerifier& verifier_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<jwt::TokenDigest, jwt::AdminIdentity, Hash> remembered_;  // guarded by mutex_
};

}  // namespace latchkey::keys_service
