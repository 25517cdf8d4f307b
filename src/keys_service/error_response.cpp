#include "keys_service/error_response.hpp"

#include "base/log.hpp"
#include "http/problem.hpp"

namespace latchkey::keys_service {
namespace {

http::Problem problem_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::invalid:
      return {"invalid-request", "Invalid request", 400, error.detail, error.fields};
    case ErrorCode::not_found:
      return {"not-found", "Not found", 404, error.detail};
    case ErrorCode::conflict:
      return {"key-deleted", "Access key deleted", 409, error.detail};
    case ErrorCode::in_use:
      return {"in-use", "Still in use", 409, error.detail};
    case ErrorCode::no_limit:
      return {"no-limit", "No limit would be in force", 409, error.detail};
    case ErrorCode::precondition_required:
      return {"precondition-required", "Precondition required", 428, error.detail};
    case ErrorCode::precondition_failed:
      return {"precondition-failed", "Precondition failed", 412, error.detail};
    case ErrorCode::idempotency_mismatch:
      return {"idempotency-key-reused", "Idempotency key reused", 422, error.detail};
    case ErrorCode::not_repeatable:
      return {"signing-key-retired", "Signing key retired", 409, error.detail};
    case ErrorCode::unavailable:
      return {"unavailable", "Temporarily unavailable", 503, error.detail};
    case ErrorCode::internal:
      break;
  }
  return {"internal-error", "Internal error", 500, {}};
}

}  // namespace

http::Response to_response(const Error& error) {
  if (error.code == ErrorCode::internal || error.code == ErrorCode::unavailable) {
    log_error("request failed: {} {}", error.detail, error.internal);
  }
  http::Response response = http::to_response(problem_of(error));
  if (response.status == 503) response.with_header("Retry-After", "1");
  return response;
}

http::Response overloaded() {
  http::Response response =
      http::to_response({"overloaded", "Overloaded", 503, "Too many requests are waiting. Try again soon."});
  return response.with_header("Retry-After", "1");
}

http::Response unsupported_media_type() {
  return http::to_response({"unsupported-media-type", "Unsupported media type", 415,
                            "Send JSON as application/json, or for PATCH as application/merge-patch+json, in UTF-8."});
}

}  // namespace latchkey::keys_service
