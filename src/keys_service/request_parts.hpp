#pragma once

// The parts of a request that the commands ask for: preconditions, idempotency key, key id.

#include <optional>

#include "base/error.hpp"
#include "commands/issue.hpp"
#include "commands/precondition.hpp"
#include "http/message.hpp"
#include "key/key_id.hpp"

namespace latchkey::keys_service {

/// From If-Match; absent: any version.
commands::Precondition precondition_of(const http::Request& request);

/// ErrorCode::invalid unless absent or one header of 1 to 128 visible ASCII characters.
Result<std::optional<commands::IdempotencyKey>> idempotency_key_of(const http::Request& request);

/// The {keyId} of the path; ErrorCode::not_found for what is no key id.
Result<KeyId> key_id_of(const http::Request& request);

}  // namespace latchkey::keys_service
