#pragma once

// The claims of an admin token (RFC 7519, 4.1), judged after its signature was found good.

#include "jwt/admin_token.hpp"
#include "jwt/jose.hpp"

namespace latchkey::jwt {

/// The first fault in the order of AdminFault, so that `no_role` means that only the role is at fault.
Result<AdminIdentity, AdminRefusal> judge_admin_claims(const json::object& payload, const AdminTrust& trust,
                                                       UnixMillis now);

}  // namespace latchkey::jwt
