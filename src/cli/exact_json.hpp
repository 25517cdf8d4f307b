#pragma once

// JSON from the API that goes out as it came in. json::value holds a number as 64 bits or a double, so 1.0, 0.10 and
// 123456789012345678901 in a key's metadata would be printed as other text; here such a number is kept as its text.
// Example: {"a":1,"b":1.0} is an object of the number 1 and the text "1.0" behind a mark, and is printed as it was.

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/json.hpp"

namespace latchkey::cli {

/// As parse_json(). A number that would be printed in another spelling is a string that begins with an octet which no
/// JSON text has, so only serialize_exactly() and render_value() may print what comes from here.
Result<json::value> parse_exactly(std::string_view text);

std::string serialize_exactly(const json::value& value);

/// The number's text, where the value is one that was kept as text; else empty.
std::string_view exact_number(const json::value& value);

}  // namespace latchkey::cli
