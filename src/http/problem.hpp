#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/json_writer.hpp"
#include "http/message.hpp"

namespace latchkey::http {

/// RFC 9457 problem details: `{"type":"/problems/<name>","title":…,"status":…,"detail":…,"errors":[{pointer,detail}]}`.
struct Problem {
  std::string_view name;   // "not-found": stable, what clients switch on
  std::string_view title;  // "Not found"
  int status = 500;
  std::string detail;                // may be empty: left out
  std::vector<FieldError> errors{};  // may be empty: left out
};

constexpr std::size_t max_errors = 20;  // shown; thousands of wrong members do not get a thousandfold answer

/// Its members, with its first max_errors errors, into an object that is open.
void write_members(JsonWriter& out, const Problem& problem);

/// The problem as application/problem+json.
Response to_response(const Problem& problem);

}  // namespace latchkey::http
