#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "http/message.hpp"

namespace latchkey::keys_service {

/// What the caller may know of an error; what only the operator may know becomes a line in the log.
///
///   invalid 400 invalid-request, with `errors`    not_found 404 not-found     conflict 409 key-deleted
///   in_use 409 in-use                             no_limit 409 no-limit       precondition_required 428 likewise
///   precondition_failed 412 precondition-failed   idempotency_mismatch 422 idempotency-key-reused
///   not_repeatable 409 signing-key-retired
///   unavailable 503 unavailable, Retry-After      internal 500 internal-error
http::Response to_response(const Error& error);

/// 503 with Retry-After: the queue of the workers is full.
http::Response overloaded();
http::Response unsupported_media_type();

}  // namespace latchkey::keys_service
