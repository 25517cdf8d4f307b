#pragma once

// JSON (RFC 8259) from outside, parsed once at the door. Boost.JSON does the work; this adds what it lets pass.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace latchkey {

namespace json = boost::json;

/// Parses one JSON text. Refuses with ErrorCode::invalid: syntax errors, invalid UTF-8, trailing text, nesting
/// deeper than `max_depth`, numbers no double can hold, and any object with a repeated member name (Boost.JSON would
/// keep the last one).
Result<json::value> parse_json(std::string_view text, std::size_t max_depth = 16);

/// Appends `text` to `out` as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

/// The JSON Pointer (RFC 6901) to a member of the whole document.
std::string json_pointer_to(std::string_view member);

}  // namespace latchkey
