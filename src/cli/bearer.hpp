#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace latchkey::cli {

/// A token or access key as somebody gave it, without the line end that files have. ErrorCode::invalid, naming `source`
/// and nothing of the text, unless it is one word of visible ASCII: more would become headers of its own.
Result<Secret> bearer_of(std::string text, std::string_view source);

/// The same from a file; "-" is stdin.
Result<Secret> read_bearer(const std::string& file);

}  // namespace latchkey::cli
