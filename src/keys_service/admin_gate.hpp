#pragma once

// Which admin token may use which admin route. An Ed25519 verification costs 100 µs, so a token found good is
// remembered by its digest, never past its `exp`, nor past a change of the keys.
//
// A refused token is one line of the operator's log with its reason, so that an operator setting up an identity
// provider sees what is missing. Of each kind of refusal there are at most five at once and then one a second.

#include <array>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/log_throttle.hpp"
#include "base/mutex.hpp"
#include "http/message.hpp"
#include "jwt/admin_key_source.hpp"
#include "jwt/admin_token.hpp"
#include "jwt/digest.hpp"

namespace latchkey::keys_service {

/// Any thread may call any method.
class AdminGate {
 public:
  static void log_refusal(std::string_view line);

  /// `log` takes each line, without the token.
  AdminGate(const jwt::AdminVerifier& verifier, const Clock& clock,
            std::function<void(std::string_view)> log = log_refusal, const jwt::AdminKeySource* keys = nullptr)
      : verifier_(verifier), clock_(clock), log_(std::move(log)), keys_(keys) {}

  /// The admin behind the request, or the answer that refuses it:
  ///   400 ambiguous-credentials     two different credentials
  ///   401 no-credentials            none, or another scheme; the challenge has no error code
  ///   401 invalid-token             not a good admin token; `detail` says why once its signature is good
  ///   403 wrong-kind                an access key
  ///   403 wrong-role                no role, or a viewer where an admin is needed
  ///   503 admin-keys-unavailable    the provider's keys could not be fetched, or not for too long
  Result<jwt::AdminIdentity, http::Response> admit(const http::Request& request, jwt::AdminRole needed);

  /// Whether it has a token of a key that is not known here, which may be newer than the keys are.
  bool names_unknown_key(const http::Request& request);

  static constexpr std::size_t max_remembered = 1024;

 private:
  struct Hash {
    std::size_t operator()(const jwt::TokenDigest& digest) const { return digest.words[0]; }
  };

  struct Known {
    jwt::AdminIdentity identity;
    std::uint64_t generation;  // of the keys that it was found good by
  };

  void say(const jwt::AdminRefusal& refusal);
  http::Response refuse(const jwt::AdminRefusal& refusal);
  Result<jwt::AdminIdentity, jwt::AdminRefusal> verify(std::string_view token);
  void remember(const jwt::TokenDigest& digest, const Known& known);

  const jwt::AdminVerifier& verifier_;
  const Clock& clock_;
  const std::function<void(std::string_view)> log_;
  const jwt::AdminKeySource* const keys_;  // null: always usable
  std::array<LogThrottle, jwt::admin_fault_count> throttles_;
  Mutex mutex_;
  std::unordered_map<jwt::TokenDigest, Known, Hash> remembered_ GUARDED_BY(mutex_);
};

}  // namespace latchkey::keys_service
