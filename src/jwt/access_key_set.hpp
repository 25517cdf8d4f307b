#pragma once

// The public signing keys of a management service as it publishes them (/.well-known/jwks.json), for a judgement without
// that service: whether a found text really is an access key of its.

#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "jwt/access_token.hpp"
#include "jwt/ed25519.hpp"

namespace latchkey::jwt {

/// By kid.
using AccessKeySet = std::map<std::string, Ed25519PublicKey, std::less<>>;

/// Keys of other kinds are left out, and one with a kid that is not its thumbprint. ErrorCode::invalid for what is no JWK Set,
/// and where no key is left.
Result<AccessKeySet> read_access_key_set(std::string_view jwks);

enum class Genuine : std::uint8_t {
  yes,
  no,           // not an access key, or a signature that is not by the key that it names
  unknown_key,  // of the right shape, by a signing key that is not in the set: retired, or another service's
};

/// `presented`: in either form (key/presented_form.hpp). `claims` is set for all but `no`.
Genuine judge(std::string_view presented, const AccessKeySet& keys, AccessClaims& claims);

}  // namespace latchkey::jwt
