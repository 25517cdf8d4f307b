#pragma once

#include <filesystem>

#include "base/error.hpp"

namespace latchkey::store {

/// Whether `file` is a database of Latchkey's, by its first bytes: opening it as one would make tables in an empty one.
/// Not while this process has it open, as closing any descriptor of a file ends SQLite's POSIX locks on it.
Result<void> check_header(const std::filesystem::path& file);

}  // namespace latchkey::store
