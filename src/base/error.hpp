#pragma once

// Errors as values. An expected "no" is a Result; exceptions mean that something is broken.

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace latchkey {

enum class ErrorCode {
  invalid,                // the caller's input breaks a rule; `fields` may say where
  not_found,              // no such thing
  conflict,               // the thing's state does not allow it (e.g. updating a deleted key)
  in_use,                 // other things refer to it, or it is needed for what they promise
  no_limit,               // it would leave access keys without any limit
  precondition_required,  // the request must say which version it means
  precondition_failed,    // optimistic concurrency: it has changed since the caller read it
  idempotency_mismatch,   // the same idempotency key came with another request
  not_repeatable,         // what the repeated request once made cannot be made again
  unavailable,            // a dependency is down or overloaded; retrying later may help
  internal,               // a defect or a broken dependency
};

/// What is wrong at one place of an input; `pointer` is a JSON Pointer (RFC 6901) such as "/requestsPerMinute".
struct FieldError {
  std::string pointer;
  std::string detail;
  bool operator==(const FieldError&) const = default;
};

/// Two texts: `detail` is safe for the caller, `internal` is for the operator's log only.
struct Error {
  explicit Error(ErrorCode c = ErrorCode::internal, std::string caller_text = {}, std::string operator_text = {})
      : code(c), detail(std::move(caller_text)), internal(std::move(operator_text)) {}

  static Error invalid(std::string pointer, std::string why) {
    Error error(ErrorCode::invalid, why);
    error.fields.push_back({std::move(pointer), std::move(why)});
    return error;
  }

  ErrorCode code;
  std::string detail;
  std::string internal;
  std::vector<FieldError> fields;
};

/// T or E. `*r` and `r->` reach the value, `r.error()` the error, `if (r)` asks.
template <class T, class E = Error>
using Result = boost::system::result<T, E>;

/// Called by Result::value() when there is none.
[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(error.internal.empty() ? error.detail : error.internal);
}

}  // namespace latchkey
