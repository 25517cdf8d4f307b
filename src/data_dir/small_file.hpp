#pragma once

// Whole small files, read and written at once.

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/regular_file.hpp"

namespace latchkey::data_dir {

constexpr std::size_t max_small_file_bytes = 1U << 20U;

/// ErrorCode::not_found where there is none; unavailable for what cannot be read, is no regular file or is larger than
/// the bound.
Result<std::string> read_small_file(const std::filesystem::path& path, Links links = Links::refuse);
/// What a person at a shell gives to a command, which may be a pipe: --token-file <(pass show admin).
Result<std::string> read_small_input(const std::filesystem::path& path);
/// The same from stdin.
Result<std::string> read_stdin();

enum class IfExists : std::uint8_t { replace, keep };

/// Mode 0600, complete or not there at all: written beside, synced, then moved (`keep`: linked, so that the first of
/// several writers wins, and the others succeed without effect).
Result<void> write_small_file(const std::filesystem::path& path, std::string_view text, IfExists if_exists);

}  // namespace latchkey::data_dir
