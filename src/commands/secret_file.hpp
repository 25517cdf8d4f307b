#pragma once

#include <filesystem>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace latchkey::commands {

/// Makes a directory, and what is missing above it, for the owner alone (0700).
Result<void> make_private_directory(const std::filesystem::path& directory);

/// A whole file or none, for the owner alone (0600), on disk for good when this returns: written beside its place,
/// synced, renamed, and the directory synced.
Result<void> write_secret_file(const std::filesystem::path& file, const Secret& content);

/// At most 64 KiB.
Result<Secret> read_secret_file(const std::filesystem::path& file);

}  // namespace latchkey::commands
