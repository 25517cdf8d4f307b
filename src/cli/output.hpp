#pragma once

// Standard output: what a command was asked for. stdio keeps it in a buffer, and a full disk or a closed pipe shows
// only when that is written; so no command has succeeded before flush_output().

#include <string_view>

#include "base/error.hpp"

namespace latchkey::cli {

/// Everything that was printed so far has arrived; the error says why not. What failed once stays failed.
Result<void> flush_output();

/// A secret that is stored nowhere, on a line of its own, written through at once, so that nobody is told of a token
/// that nobody has. Throws std::runtime_error, which ends the command, where it is lost; `what` it is, and `remedy`:
/// how to get another.
void write_secret_line(std::string_view secret, std::string_view what, std::string_view remedy);

/// The exit code of a command that ended with `code`: exit_failed, said on stderr, if its output did not arrive.
int finish_output(int code);

}  // namespace latchkey::cli
