#pragma once

#include <string>
#include <string_view>

namespace latchkey::cli {

/// Text from a service as a terminal may be shown it: "?" for each control character, line or paragraph separator
/// (U+2028, U+2029) and mark that turns the direction of writing (U+202A to U+202E, U+2066 to U+2069). A name must
/// neither move the cursor of a terminal that lists it nor look like another.
std::string escape_for_terminal(std::string_view text);

}  // namespace latchkey::cli
