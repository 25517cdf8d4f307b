#pragma once

// What the transport itself says no to, before or instead of a handler.

#include <cstdint>
#include <string_view>

#include "http/message.hpp"

namespace latchkey::http {

enum class RefusalKind : std::uint8_t {
  bad_request,            // 400
  not_found,              // 404
  method_not_allowed,     // 405
  request_timeout,        // 408
  body_too_large,         // 413
  expectation_failed,     // 417
  head_too_large,         // 431
  internal_error,         // 500
  not_implemented,        // 501
  version_not_supported,  // 505
};

struct Refusal {
  RefusalKind kind = RefusalKind::bad_request;
  std::string_view detail;  // a literal, safe for the caller; empty: the kind's own
  bool operator==(const Refusal&) const = default;
};

int status_of(RefusalKind kind);

/// The refusal as a problem document.
Response to_response(const Refusal& refusal);

}  // namespace latchkey::http
