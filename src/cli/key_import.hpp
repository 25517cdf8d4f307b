#pragma once

// `latchkey key create --from FILE`: many keys, each once, however often the command is broken off and repeated.

#include <string>

#include "cli/invocation.hpp"

namespace latchkey::cli {

/// `output`: where the access keys go, a JSON object a line, mode 0600; keys that it has already are passed over. Empty:
/// standard output.
int import_keys(const Invocation& invocation, const std::string& from, const std::string& output);

}  // namespace latchkey::cli
